"""The workflow types, a file each: the sandbox reads the file of a task's type anew for every task, and no other."""
