# Writes OUT, a C file that holds each of SCHEMAS in DIR as an array; the contract is
# worker/avro/embedded.h.
set(text "#include \"avro/embedded.h\"\n")
set(table "")
foreach(schema ${SCHEMAS})
  file(READ ${DIR}/${schema}.avsc hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(MAKE_C_IDENTIFIER ${schema} name)
  string(APPEND text "\nstatic const unsigned char ${name}[] = { ${bytes} };\n")
  string(APPEND table "\t{ \"${schema}.avsc\", ${name}, sizeof(${name}) },\n")
endforeach()
string(APPEND text "\nconst struct embedded_schema embedded_schemas[EMBEDDED_SCHEMA_COUNT] = {\n${table}};\n")
file(WRITE ${OUT} "${text}")
