from helper_that_raises import value
