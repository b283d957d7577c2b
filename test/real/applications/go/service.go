// A service in Go: zap writes JSON to standard error, where net/http and the runtime write their panics in text.
//
//	service <port>
package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"go.uber.org/zap"
)

type account struct{ name string }

func find(query string) *account {
	return nil
}

func main() {
	config := zap.NewProductionConfig()
	config.Sampling = nil
	config.Level = zap.NewAtomicLevelAt(zap.DebugLevel)
	logger, err := config.Build()
	if err != nil {
		panic(err)
	}
	http.HandleFunc("/", func(writer http.ResponseWriter, request *http.Request) {
		began := time.Now()
		id, query := request.Header.Get("X-Request-Id"), request.URL.RawQuery
		logger.Debug("request", zap.String("request_id", id))
		switch request.URL.Path {
		case "/ok":
			logger.Info("handled", zap.String("request_id", id), zap.String("query", query),
				zap.Duration("took", time.Since(began)), zap.Int("status", 200),
				zap.Any("headers", request.Header))
		case "/error":
			logger.Error("not handled", zap.String("request_id", id), zap.Error(errors.New("no account for "+query)))
			http.Error(writer, "no", 500)
		case "/panic":
			fmt.Fprintln(writer, find(query).name)
		case "/end":
			go func() { panic(fmt.Errorf("%s ends the service: %s", id, query)) }()
			time.Sleep(time.Second)
		}
	})
	if err := http.ListenAndServe("127.0.0.1:"+os.Args[1], nil); err != nil {
		panic(err)
	}
}
