from snakepit.wire.bridge_pb2 import *
from snakepit.wire.bridge_pb2 import DESCRIPTOR as DESCRIPTOR
