//! The words of help: the overview, and the example that every verb's help leads with.

/// `snakepit --help`.
pub const OVERVIEW: &str = "\
A shared, live, typed state and a two-way tool registry for Python workers, scripts and people.

  snakepit serve                                run a bridge in this terminal
  snakepit worker spawn tools.py                offer the functions of a file as tools
  snakepit var set learning_rate 0.01           change what a running tool sees";

/// What `snakepit` alone prints.
pub const WELCOME: &str = "\
snakepit: a shared, live, typed state and a two-way tool registry for Python workers, scripts and people

Examples:
  snakepit serve                                run a bridge in this terminal
  snakepit worker spawn tools.py                offer the functions of a file as tools
  snakepit tool call train epochs=20            call one, and see its progress

Verbs:
  serve      run a bridge                       var        register, get, set, list, del, watch
  worker     spawn, list                        tool       list, describe, call
  explain    tell more about an error           session    new, use, list, show, fork, checkpoint, end

`snakepit VERB --help` tells more of each.";
