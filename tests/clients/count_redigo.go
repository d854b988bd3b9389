// Counts with redigo while leaders die; counting.py says what and how.
package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gomodule/redigo/redis"
)

const pause = 20 * time.Millisecond

func told(reply interface{}, err error) string {
	if refusal, is := err.(redis.Error); is {
		words := strings.Fields(string(refusal))
		if len(words) > 2 {
			words = words[:2]
		}
		return "-" + strings.Join(words, "_")
	}
	if err != nil {
		return "!"
	}
	switch value := reply.(type) {
	case nil:
		return "_"
	case int64:
		return fmt.Sprintf(":%d", value)
	case string:
		return "$" + value
	case []byte:
		return "$" + string(value)
	}
	return "?"
}

// Gives the replies to a round, as far as they come.
func ask(c redis.Conn, name string, number int) []string {
	var replies []string
	commands := 0
	send := func(command string, arguments ...interface{}) {
		commands++
		c.Send(command, arguments...) // an error stays with the connection
	}

	increment := func() {
		for i := 0; i < 8; i++ {
			send("INCR", name+":n")
		}
	}

	increment()
	send("ECHO", fmt.Sprintf("%s.%d", name, number))
	send("GET", name+":v")
	increment()
	for i := 0; i < 4; i++ {
		send("APPEND", fmt.Sprintf("%s:w:%d", name, number/16), fmt.Sprintf("%s.%d;", name, 4*number+i))
	}
	send("SET", name+":v", fmt.Sprintf("%s.%d", name, number))
	send("GET", name+":v")
	c.Flush()
	for i := 0; i < commands; i++ {
		replies = append(replies, told(c.Receive()))
		if c.Err() != nil {
			break
		}
	}
	return replies
}

func connect(port string) redis.Conn {
	for {
		c, err := redis.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			if _, err = c.Do("PING"); err == nil {
				return c
			}
			c.Close()
		}
		time.Sleep(pause)
	}
}

func count(name, port string, over chan struct{}) {
	c := connect(port)
	for number := 0; ; number++ {
		replies := ask(c, name, number)
		fmt.Println(name, number, strings.Join(replies, " ")) // one write
		if c.Err() != nil {
			c.Close()
			c = connect(port)
		}
		select {
		case <-over:
			c.Close()
			return
		case <-time.After(pause):
		}
	}
}

func main() {
	library, ports := os.Args[1], os.Args[3:]
	connections, err := strconv.Atoi(os.Args[2])
	if err != nil {
		panic(err)
	}
	over := make(chan struct{})
	var all sync.WaitGroup
	for member, port := range ports {
		for i := 0; i < connections; i++ {
			all.Add(1)
			go func(name, port string) {
				defer all.Done()
				count(name, port, over)
			}(fmt.Sprintf("%s.%d.%d", library, member, i), port)
		}
	}
	io.Copy(io.Discard, os.Stdin)
	close(over)
	all.Wait()
}
