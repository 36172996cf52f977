package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/embed"
)

// How long a store on an empty folder may take to elect itself.
const readyWithin = time.Minute

// A store of one member on loopback. It never syncs to disk: a cluster lives for one run.
func newEtcdCommand() *cobra.Command {
	var folder, client, peer string
	command := &cobra.Command{
		Use:          "etcd",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(*cobra.Command, []string) error {
			return runEtcd(folder, client, peer)
		},
	}
	command.Flags().StringVar(&folder, "data-dir", "", "folder of the store, mode 0700")
	command.Flags().StringVar(&client, "client-url", "", "URL to serve clients at")
	command.Flags().StringVar(&peer, "peer-url", "", "URL to serve peers at")
	for _, name := range []string{"data-dir", "client-url", "peer-url"} {
		if err := command.MarkFlagRequired(name); err != nil {
			panic(err)
		}
	}
	return command
}

func runEtcd(folder, client, peer string) error {
	clientURL, err := url.Parse(client)
	if err != nil {
		return err
	}
	peerURL, err := url.Parse(peer)
	if err != nil {
		return err
	}

	config := embed.NewConfig()
	config.Dir = folder
	config.LogLevel = "error"
	config.UnsafeNoFsync = true
	config.ListenClientUrls = []url.URL{*clientURL}
	config.AdvertiseClientUrls = config.ListenClientUrls
	config.ListenPeerUrls = []url.URL{*peerURL}
	config.AdvertisePeerUrls = config.ListenPeerUrls
	config.InitialCluster = config.InitialClusterFromName(config.Name)

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)

	server, err := embed.StartEtcd(config)
	if err != nil {
		return err
	}
	defer server.Close()

	select {
	case <-server.Server.ReadyNotify():
		fmt.Println("ready")
	case <-time.After(readyWithin):
		return fmt.Errorf("etcd is not ready after %s", readyWithin)
	}
	select {
	case <-stop:
		return nil
	case <-server.Server.StopNotify():
		return errors.New("etcd stopped by itself")
	case err := <-server.Err():
		return err
	}
}
