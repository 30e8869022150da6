"""Programs that models write, run where the kernel itself keeps them in: `box` starts them, `launch` builds the walls."""
