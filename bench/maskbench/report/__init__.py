"""What people see of runs: tables and figures, each a module that is found by lying in its folder."""
