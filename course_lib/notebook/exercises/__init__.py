"""One module a notebook (`nb01.py`), one check an exercise; see `course_lib.notebook.expecting`."""
