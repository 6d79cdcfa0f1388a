// The forward proxy of tests/e2e/test_way_out.py: smokescreen as it is, with its own options. With
// LOGIN=user:password in its environment it asks for that login.
package main

import (
	"errors"
	"log"
	"net/http"
	"os"

	"github.com/stripe/smokescreen/cmd"
	"github.com/stripe/smokescreen/pkg/smokescreen"
)

func main() {
	conf, err := cmd.NewConfiguration(nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	login := os.Getenv("LOGIN")
	conf.RoleFromRequest = func(request *http.Request) (string, error) {
		asked := http.Request{Header: http.Header{"Authorization": request.Header["Proxy-Authorization"]}}
		if user, password, _ := asked.BasicAuth(); login != "" && user+":"+password != login {
			return "", errors.New("another login")
		}
		return "posthorn", nil
	}
	smokescreen.StartWithConfig(conf, nil)
}
