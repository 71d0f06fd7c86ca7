"""The run record: its tables, who writes it and how it is read back. Docs in the modules."""

from analysis.record.monitors import monitor_folder, monitor_folders
from analysis.record.process import ProcessInfo, ProcessRecord, read_process
from analysis.record.reader import Part, is_complete, iter_batches, read_table
from analysis.record.run import Chat, Person, Run, new_run_id, read_run
from analysis.record.writer import RecordWriter

__all__ = [
    "Chat",
    "Part",
    "Person",
    "ProcessInfo",
    "ProcessRecord",
    "RecordWriter",
    "Run",
    "is_complete",
    "iter_batches",
    "monitor_folder",
    "monitor_folders",
    "new_run_id",
    "read_process",
    "read_run",
    "read_table",
]
