"""A note on an order: a new column that the release before need not know."""

from alembic import op

revision = "0002_note"
down_revision = "0001_orders"


def upgrade():
    op.execute("ALTER TABLE orders ADD COLUMN note text")


def downgrade():
    op.execute("ALTER TABLE orders DROP COLUMN note")
