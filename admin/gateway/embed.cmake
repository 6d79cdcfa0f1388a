# Writes OUT, a C file that holds the API's description, IN, as text.
file(READ ${IN} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
file(WRITE ${OUT} "#include \"gateway/openapi.h\"\n
const char openapi_json[] = { ${bytes} 0 };
const size_t openapi_json_len = sizeof(openapi_json) - 1;\n")
