// Verifies callbacks with the Standard Webhooks library for Go: arguments are a secret and folders,
// each with headers.json and body; prints true or false for each.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

func main() {
	webhook, err := standardwebhooks.NewWebhook(os.Args[1])
	if err != nil {
		panic(err)
	}
	for _, folder := range os.Args[2:] {
		var headers map[string]string
		text, err := os.ReadFile(folder + "/headers.json")
		if err == nil {
			err = json.Unmarshal(text, &headers)
		}
		if err != nil {
			panic(err)
		}
		body, err := os.ReadFile(folder + "/body")
		if err != nil {
			panic(err)
		}
		header := http.Header{}
		for name, value := range headers {
			header.Set(name, value)
		}
		fmt.Println(webhook.Verify(body, header) == nil)
	}
}
