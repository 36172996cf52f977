"""Every row: a fault, and what Weir has to answer while it holds."""
from table_amqp import ROWS as AMQP
from table_management import ROWS as MANAGEMENT
from table_prometheus import ROWS as PROMETHEUS
from table_redis import ROWS as REDIS

ROWS = [*REDIS, *PROMETHEUS, *AMQP, *MANAGEMENT]
