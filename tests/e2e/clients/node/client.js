// Creates a webhook with kafkajs and its client of the schema registry, and prints the outcome.
const { readFileSync } = require('fs')
const { Kafka, logLevel } = require('kafkajs')
const { SchemaRegistry, SchemaType } = require('@kafkajs/confluent-schema-registry')

const [bootstrap, url, prefix, tenantId, hook, schemaFile] = process.argv.slice(2)
const kafka = new Kafka({ brokers: [bootstrap], logLevel: logLevel.ERROR })
const registry = new SchemaRegistry({ host: url })
const commandId = `node-${Date.now()}`

async function write() {
  const schema = { type: SchemaType.AVRO, schema: readFileSync(schemaFile, 'utf8') }
  const { id } = await registry.register(schema, { subject: `${prefix}webhook-admin-value` })
  const value = await registry.encode(id, {
    commandId,
    tenantId,
    requestId: null,
    clientId: null,
    timestamp: Date.now(),
    operation: { 'posthorn.v1.CreateWebhook': { events: ['OpenIdCredentialIssued'], url: hook, disabled: false } },
  })
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic: `${prefix}webhook-admin`, messages: [{ key: tenantId, value }] })
  await producer.disconnect()
}

async function read() {
  const consumer = kafka.consumer({ groupId: commandId, readUncommitted: false })
  await consumer.connect()
  await consumer.subscribe({ topic: `${prefix}webhook-results`, fromBeginning: true })
  await new Promise((resolve, reject) => {
    consumer
      .run({
        eachMessage: async ({ message }) => {
          const event = await registry.decode(message.value)
          if (event.commandId === commandId && !event.type.endsWith('_START')) {
            console.log(JSON.stringify({ type: event.type, status: event.status }))
            resolve()
          }
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
}

write().then(read).catch((error) => {
  console.error(error)
  process.exit(1)
})
