"""An index of what reports say, so that a search need not read every text."""

import sqlalchemy as sa
from alembic import op

from pipeline.store.words import terms

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_CHUNK_ROWS = 1000


def upgrade() -> None:
    """Make the table and the index over it, and enter what is there."""
    made = op.create_table(
        "report_words",
        sa.Column("id", sa.Integer().with_variant(sa.BigInteger(), "postgresql"), nullable=False),
        sa.Column("report_id", sa.String(length=200), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_words")),
        sa.UniqueConstraint("report_id", name=op.f("uq_report_words_report_id")),
    )
    if op.get_bind().dialect.name == "sqlite":
        _index_sqlite()
    _enter(made)
    if op.get_bind().dialect.name != "sqlite":
        op.execute("CREATE INDEX ix_report_words_terms ON report_words USING gin (string_to_array(terms, ' '))")
        op.execute("ANALYZE report_words")


def downgrade() -> None:
    """Remove both."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE report_terms")
    op.drop_table("report_words")


def _index_sqlite() -> None:
    """The tokenizer `ascii` splits terms at spaces and leaves other scripts whole; triggers keep up with the table."""
    op.execute(
        "CREATE VIRTUAL TABLE report_terms USING fts5"
        "(terms, content='report_words', content_rowid='id', tokenize='ascii', detail='none')"
    )
    op.execute(
        "CREATE TRIGGER report_words_entered AFTER INSERT ON report_words "
        "BEGIN INSERT INTO report_terms(rowid, terms) VALUES (new.id, new.terms); END"
    )
    op.execute(
        "CREATE TRIGGER report_words_removed AFTER DELETE ON report_words "
        "BEGIN INSERT INTO report_terms(report_terms, rowid, terms) VALUES ('delete', old.id, old.terms); END"
    )


def _enter(made: sa.Table) -> None:
    reports = sa.table("reports", sa.column("report_id"), sa.column("title"), sa.column("text"))
    connection, last = op.get_bind(), ""
    page = sa.select(reports).order_by(reports.c.report_id).limit(_CHUNK_ROWS)
    while part := connection.execute(page.where(reports.c.report_id > last)).all():
        last = part[-1].report_id
        written = [(row.report_id, f"{row.title or ''}\n{row.text}") for row in part if row.text is not None]
        if written:
            connection.execute(made.insert(), [{"report_id": name, "terms": " ".join(terms(said))} for name, said in written])
