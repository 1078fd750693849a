"""What is said of a text that cannot be read: each sentence once, for Python and for the explorer's page.

A sentence's {} are filled by `str.format`.
"""

from __future__ import annotations

from fallline.objectives.grammar.words import FUNCTIONS

ALLOWED = "Allowed: numbers, variables, + - * / **, ( ), pi, e and " + ", ".join([*FUNCTIONS, "sum", "prod", "norm"])
# The whole text.
CANNOT_BE_READ = "is {}, which cannot be read {}"
AT = "at {}: {}"
MORE_FAULTS = "; and {} more"
TOO_LONG, AT_MOST = "a formula of {} characters", "at most {}"
TOO_NESTED = "which is too long or nested too deeply"
EMPTY, NOT_EMPTY = "an empty formula", "write, for example, 'x**2 + y**2'"
NO_VARIABLE, SOME_VARIABLE = "which has no variable", "write, for example, 'x**2'"
TOO_MANY_PARTS, WRITE_PYTHON = "which has more than {} parts when its sums are written out", "use a Python function"
# Characters, numbers and names.
NO_MEANING = f"the character {{}} has no meaning in a formula. {ALLOWED}"
NUMBER_TOO_LONG = "the number is too long"
BEGINS_WITH_0 = "a number does not begin with 0"
IS_THE_CONSTANT, IS_THE_FUNCTION = "{} is the constant; use another name", "{} is the function; use another name"
NO_NAME = "a name is letters, digits and _, and not a word of Python such as lambda"
WRITE_PI = "write pi"
FINITE_ONLY = "a formula has finite numbers only"
RUN_TOGETHER = "write {}, or use another name"
# Lines.
HAS_A_VALUE = "{} has a value already; use another name"
USED_BEFORE = "{} is used before its own step is complete"
ONLY_THE_LAST = "only the last line is the objective; name this one, as in u = ..."
NEVER_USED = "{} is never used"
NOT_USED, FACTORS_OF = "{} is not used; write {}", "* between the factors of {}"
NOT_OPEN = "there is a {} without its {}"
NEVER_CLOSED = "a {} is never closed"
NOTHING_AFTER = "there is nothing after the ="
# What does not fit in its place.
MISPLACED = f"it does not fit there. {ALLOWED}"
COMMA = "a comma stands between the arguments of a function, and a decimal has a point"
NOTHING_FOLLOWS = "nothing follows the {}"
WRITE_IF_OR_WHERE = "write a if condition else b, or where(condition, a, b)"
WRITE_IF = "write a if condition else b"
EQUALS = "= only follows the name at the start of a line, as in y = x**2; a comparison is =="
DOTS = "a formula has no dots but in numbers"
SQUARE_BRACKETS = "use round brackets; variables are written x1, x2, ... or x[1]"
WHOLE_QUOTIENT = "write floor(x/2) for whole quotients, / to divide"
BAR_NEVER_CLOSED = "a | is never closed; for a condition write or"
TOO_DEEP = "brackets and operations are nested more than {} deep"
# What has more than one reading, or none.
WRITE = "write {}"
WRITE_TIMES = "write * between factors"
ONE_POINT = "write * between factors, and one point in a number"
DIGITS_ALONE = "write a number in its digits alone, as in 1000"
EXPONENT = "write the exponent as x**2"
POWER_LAST = "write the power last, as in {}(x)**2"
# Functions, indices and conditions.
NO_FUNCTION, DID_YOU_MEAN = "there is no function {}", "; did you mean {}? "
IN_BRACKETS = "{0} takes its arguments in brackets, as in {0}(x, y)"
NO_NAMED_ARGUMENT = "{} takes no name with its argument; to compare write =="
RANGE_OF = "write the range of {0} as {0}=1..3"
ONE_INDEX = "a variable has one index, as in x[1]"
WHOLE_INDEX = "an index is a whole number from 0, as in x[1] or, in a sum over i=1..3, x[i+1]"
AT_LEAST_ONE = "{} takes at least one argument"
SEVERAL_PARTS = "{0} takes several parts, or a range, as in {0}(x[i], i=1..3)"
INDEX_UNUSED = "{0} does not occur in it; write x_{0} or x[{0}]"
EMPTY_RANGE = "the range {}..{} is empty"
TAKES = "{} takes {}, not {}"
ONE_ARGUMENT, TWO_ARGUMENTS, THREE_ARGUMENTS = "one argument", "two arguments", "three arguments"
MANY_ARGUMENTS = "two or more arguments"
NOT_A_VALUE = "it is a condition, not a value; write where(condition, a, b)"
NOT_A_CONDITION = "a condition is a comparison, such as x > 0"
# Constants.
DIVIDES_BY_ZERO = "it divides by zero"
CONSTANT_IS = "the constant is {}"
NOT_REAL, NOT_FINITE_REAL = "not a real number", "not a finite real number"
INFINITE, NOT_A_NUMBER, A_DIVISION_BY_ZERO = "infinite", "not a number", "a division by zero"
