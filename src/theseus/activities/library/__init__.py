"""The library: files in which people write down how work is done, templates and skills, found anew for each task."""
