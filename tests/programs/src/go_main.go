// SPDX-License-Identifier: Apache-2.0
// Go: processes, signals, and a load that makes the runtime preempt with SIGURG all the time.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"
)

// extra is filled in by the cgo build.
var extra = func() { fmt.Println("built without cgo") }

func must(err error) {
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

func numbers() {
	fmt.Println(os.Getpid(), os.Getppid(), syscall.Getpgrp())
}

func execs() {
	out, err := exec.Command("sh", "-c", "echo $PPID").Output()
	must(err)
	fmt.Println(strings.TrimSpace(string(out)) == fmt.Sprint(os.Getpid()))
	cmd := exec.Command("cat")
	in, _ := cmd.StdinPipe()
	go func() { io.WriteString(in, strings.Repeat("x", 100000)); in.Close() }()
	out, err = cmd.Output()
	must(err)
	fmt.Println(len(out))
	var e *exec.ExitError
	fmt.Println(errors.As(exec.Command("sh", "-c", "exit 9").Run(), &e), e.ExitCode())
	var wg sync.WaitGroup
	var mu sync.Mutex
	var codes []int
	for i := 0; i < 50; i++ {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			c := exec.Command("sh", "-c", fmt.Sprintf("exit %d", i))
			c.Run()
			mu.Lock()
			codes = append(codes, c.ProcessState.ExitCode())
			mu.Unlock()
		}(i)
	}
	wg.Wait()
	sort.Ints(codes)
	fmt.Println(codes)
	cmd = exec.Command("sleep", "30")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	must(cmd.Start())
	fmt.Println(cmd.Process.Signal(syscall.Signal(0)), syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM))
	fmt.Println(cmd.Wait())
	fmt.Println(cmd.Process.Signal(syscall.SIGTERM), syscall.Kill(cmd.Process.Pid, 0))
	fmt.Println(exec.Command("/nonexistent").Run())
}

func signals() {
	c := make(chan os.Signal, 100)
	signal.Notify(c, syscall.SIGUSR1, syscall.SIGCHLD)
	for i := 0; i < 20; i++ {
		must(syscall.Kill(os.Getpid(), syscall.SIGUSR1))
		fmt.Print(<-c == syscall.SIGUSR1, " ")
	}
	must(exec.Command("true").Run())
	fmt.Println(<-c)
	child := exec.Command("sh", "-c", "kill -USR1 $PPID")
	signal.Reset(syscall.SIGCHLD)
	must(child.Run())
	fmt.Println(<-c)
	defer func() { fmt.Println("recovered:", recover() != nil) }()
	var p *int
	fmt.Println(*p)
}

func load() {
	runtime.GOMAXPROCS(4)
	done := make(chan int)
	for i := 0; i < 4; i++ {
		go func() {
			n := 0
			for stop := time.Now().Add(2 * time.Second); time.Now().Before(stop); {
				for k := 0; k < 1000000; k++ {
					n += k & 1
				}
			}
			done <- n
		}()
	}
	pid := os.Getpid()
	for i := 0; i < 100; i++ {
		runtime.GC()
		if syscall.Getpid() != pid || exec.Command("true").Run() != nil {
			fmt.Println("wrong in round", i)
		}
	}
	for i := 0; i < 4; i++ {
		<-done
	}
	var wg sync.WaitGroup
	for i := 0; i < 100; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			runtime.LockOSThread()
			if syscall.Gettid() == 0 {
				fmt.Println("no thread number")
			}
			time.Sleep(10 * time.Millisecond)
		}()
	}
	wg.Wait()
	fmt.Println("load done")
}

func main() {
	for name, f := range map[string]func(){"numbers": numbers, "exec": execs, "signals": signals, "load": load} {
		if os.Args[1] == name {
			f()
		}
	}
	if os.Args[1] == "c" {
		extra()
	}
}
