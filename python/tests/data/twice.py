from snakepit import tool


@tool
def a():
    pass


@tool(name="a")
def b():
    pass
