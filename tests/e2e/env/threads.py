"""The threads of a process, as the system tells them. A thread may end between two looks at it."""

from pathlib import Path


def threads_of(pid, stem):
    """The folders in /proc of the threads whose name begins with `stem`.

    Source: proc(5), /proc/pid/task/tid/comm.
    """
    names = {folder: name_of(folder) for folder in Path(f"/proc/{pid}/task").iterdir()}
    return [folder for folder, name in names.items() if name is not None and name.startswith(stem)]


def name_of(folder):
    """None where the thread has ended."""
    try:
        return (folder / "comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
