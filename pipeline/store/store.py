"""The store as a whole: its desks on one database."""

from pipeline.store.database import Database
from pipeline.store.deciding import Decisions
from pipeline.store.figures import Figures
from pipeline.store.judgements import Judgements
from pipeline.store.log import Log
from pipeline.store.matters import Matters, Nights
from pipeline.store.people import People
from pipeline.store.queue import Queue


class Store:
    """What `desks.py` calls a store."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.queue = Queue(database)
        self.decisions = Decisions(database)
        self.judgements = Judgements(database)
        self.figures = Figures(database)
        self.matters = Matters(database)
        self.nights = Nights(database)
        self.people = People(database)
        self.log = Log(database)
