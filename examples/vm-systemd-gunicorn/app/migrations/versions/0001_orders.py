"""Orders."""

from alembic import op

revision = "0001_orders"
down_revision = None


def upgrade():
    op.execute("CREATE TABLE orders (id bigserial PRIMARY KEY, sku text NOT NULL)")


def downgrade():
    op.execute("DROP TABLE orders")
