// main.go: a peer of the benchmarks on the centrifuge module, the library inside Centrifugo: every
// client may subscribe and publish anywhere, nothing is kept.
//
//	centrifuge_server     serves WebSocket on a free port of 127.0.0.1, which it prints
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"

	"github.com/centrifugal/centrifuge"
)

func accept(client *centrifuge.Client) {
	client.OnSubscribe(func(_ centrifuge.SubscribeEvent, done centrifuge.SubscribeCallback) {
		done(centrifuge.SubscribeReply{}, nil)
	})
	client.OnPublish(func(_ centrifuge.PublishEvent, done centrifuge.PublishCallback) {
		done(centrifuge.PublishReply{}, nil)
	})
}

func main() {
	node, err := centrifuge.New(centrifuge.Config{})
	if err != nil {
		log.Fatal(err)
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{UserID: "bench"}}, nil
	})
	node.OnConnect(accept)
	if err := node.Run(); err != nil {
		log.Fatal(err)
	}
	anywhere := func(*http.Request) bool { return true }
	http.Handle("/connection/websocket",
		centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{CheckOrigin: anywhere}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(http.Serve(listener, nil))
}
