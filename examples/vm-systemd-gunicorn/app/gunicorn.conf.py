import os
import sys

# The unit's EnvironmentFile says the slot's port. All addresses: the balancer is on another machine.
bind = f"{os.environ.get('ADDRESS', '0.0.0.0')}:{os.environ.get('PORT', '8000')}"
workers = 2
worker_class = "gthread"
threads = 8
# A kept connection that a worker closes may have the next request on its way. The balancer keeps those of the users.
keepalive = 0
# As long as the longest request may take; TimeoutStopSec of the unit is longer.
graceful_timeout = 30
# Each worker loads the code itself: a reload takes what the link names then.
preload_app = False
# Blue and green would share the one in the home folder.
control_socket_disable = True


def post_fork(server, worker):
    """What a worker imports later comes from the release it started with, also when the link names the next one."""
    os.chdir(os.path.realpath(worker.cfg.chdir))
    sys.path[:] = [os.path.realpath(path) for path in sys.path]
