"""maskbench: does masking images before outsourcing their training protect them?

What plug-ins and users import. The stub beside this file, ``__init__.pyi``, says for each name the module that defines
it, to type checkers and to this file alike. A name loads on first use: ``maskbench --help`` need not import torch.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
