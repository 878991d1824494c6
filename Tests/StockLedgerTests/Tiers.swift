// The quick tier takes minutes; STOCKADE_THOROUGH=1 asks for the rest.

import Glibc

let isThorough = getenv("STOCKADE_THOROUGH").map { String(cString: $0) == "1" } ?? false
