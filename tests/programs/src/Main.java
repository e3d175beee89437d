// SPDX-License-Identifier: Apache-2.0
// java: process handles, children, threads, and the signals the JVM lives on.
import java.io.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;

public class Main {
	static void numbers() throws Exception {
		System.out.println(ProcessHandle.current().pid());
		System.out.println(ProcessHandle.current().parent().isPresent());
	}

	static void processes() throws Exception {
		Process p = new ProcessBuilder("sh", "-c", "echo $PPID; exit 7").start();
		String line = new BufferedReader(new InputStreamReader(p.getInputStream())).readLine();
		System.out.println(line.equals("" + ProcessHandle.current().pid()) + " " + p.waitFor());
		List<CompletableFuture<Integer>> all = new ArrayList<>();
		for (int i = 0; i < 20; i++)
			all.add(new ProcessBuilder("sh", "-c", "exit " + i).start().onExit().thenApply(Process::exitValue));
		for (CompletableFuture<Integer> f : all)
			System.out.print(f.get(15, TimeUnit.SECONDS) + " ");
		System.out.println();
		p = new ProcessBuilder("sleep", "30").start();
		long pid = p.pid();
		System.out.println(p.isAlive() + " " + ProcessHandle.of(pid).isPresent() + " "
			+ ProcessHandle.current().children().anyMatch(h -> h.pid() == pid) + " "
			+ p.toHandle().parent().get().equals(ProcessHandle.current()));
		p.destroy();
		System.out.println(p.waitFor());
		p = new ProcessBuilder("sleep", "30").start();
		System.out.println(p.destroyForcibly().waitFor() + " " + p.waitFor(1, TimeUnit.SECONDS));
		try {
			new ProcessBuilder("/nonexistent").start();
		} catch (IOException e) {
			System.out.println("error=2: " + e.getMessage().contains("error=2"));
		}
	}

	static void threads() throws Exception {
		AtomicInteger sum = new AtomicInteger();
		CountDownLatch up = new CountDownLatch(200);
		List<Thread> all = new ArrayList<>();
		for (int i = 0; i < 200; i++) {
			Thread t = new Thread(() -> {
				up.countDown();
				try {
					up.await();
				} catch (InterruptedException e) {
					return;
				}
				sum.incrementAndGet();
			});
			t.start();
			all.add(t);
		}
		for (Thread t : all)
			t.join(15000);
		for (int i = 0; i < 2000; i++) {
			Thread t = new Thread(sum::incrementAndGet);
			t.start();
			t.join(15000);
		}
		System.out.println(sum.get());
	}

	static int length(String s) {
		return s.length();
	}

	static void nulls() {
		int caught = 0;
		for (int i = 0; i < 200000; i++) {
			try {
				length(i % 100 == 0 ? null : "x");
			} catch (NullPointerException e) {
				caught++;
			}
		}
		System.out.println(caught);
	}

	static int depth;

	static void down() {
		depth++;
		down();
	}

	static void overflow() {
		for (int i = 0; i < 3; i++) {
			depth = 0;
			try {
				down();
			} catch (StackOverflowError e) {
				System.out.println(depth > 1000);
			}
		}
	}

	static void garbage() throws Exception {
		ExecutorService pool = Executors.newFixedThreadPool(4);
		List<Future<Long>> all = new ArrayList<>();
		for (int i = 0; i < 8; i++)
			all.add(pool.submit(() -> {
				long n = 0;
				for (int k = 0; k < 100000; k++)
					n += new byte[500].length + Integer.toString(k).length();
				return n;
			}));
		for (Future<Long> f : all)
			System.out.println(f.get(20, TimeUnit.SECONDS));
		pool.shutdown();
	}

	static void hook() throws Exception {
		Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("hook ran")));
		System.out.println("ready");
		Thread.sleep(60000);
	}

	public static void main(String[] args) throws Exception {
		switch (args[0]) {
		case "numbers": numbers(); break;
		case "processes": processes(); break;
		case "threads": threads(); break;
		case "nulls": nulls(); break;
		case "overflow": overflow(); break;
		case "garbage": garbage(); break;
		case "hook": hook(); break;
		}
	}
}
