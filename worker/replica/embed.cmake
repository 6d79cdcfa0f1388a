# Writes OUT, a C file that holds SCHEMA, of the folder NAME, as text and, as its version, the hash
# of that text: a changed schema cannot keep its version.
file(READ ${SCHEMA} hex HEX)
file(SHA256 ${SCHEMA} version)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
string(SUBSTRING ${version} 0 16 version)
file(WRITE ${OUT} "#include \"${NAME}/schema.h\"\n
const char ${NAME}_schema[] = { ${bytes} 0 };
const char ${NAME}_schema_version[] = \"${version}\";\n")
