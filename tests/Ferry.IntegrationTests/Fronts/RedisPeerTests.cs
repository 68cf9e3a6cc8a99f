using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using static Ferry.IntegrationTests.Fronts.RespText;

namespace Ferry.IntegrationTests.Fronts;

/// <summary>Debian's Redis as the judge: its own client tools against the front, and the same bytes sent to both servers.</summary>
public sealed class RedisPeerTests
{
    [Fact]
    public async Task RedisCli_AgainstTheFront_SeesWhatItWouldSeeFromRedis()
    {
        await using var host = await FrontHost.StartAsync();
        var port = host.Resp.Endpoint.Port.ToString();
        var seen = await ProgramRun.RunAsync("redis-cli", "SET a 1\nGET a\nGET none\nMGET a none\nEXISTS a none\nSCAN 0\nDEL a\nINFO keyspace\nTYPE a\nFLUSHALL\n", "-p", port);
        Assert.StartsWith("OK\n1\n\n1\n\n1\n0\na\n1\n# Keyspace\nnone\nERR FLUSHALL is refused", seen.Replace("\r", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal("hello\n", await ProgramRun.RunAsync("redis-cli", null, "-3", "-p", port, "ECHO", "hello"));
        // A value from standard input, 5 MB, and back.
        var value = new string('x', 5_000_000);
        await ProgramRun.RunAsync("redis-cli", value, "-p", port, "-x", "SET", "long");
        Assert.Equal(value + "\n", await ProgramRun.RunAsync("redis-cli", null, "-p", port, "GET", "long"));
    }

    [Fact]
    public async Task RedisBenchmark_AgainstTheFront_RunsToItsEnd()
    {
        await using var host = await FrontHost.StartAsync();
        var seen = await ProgramRun.RunAsync(
            "redis-benchmark", null, "-p", host.Resp.Endpoint.Port.ToString(), "-t", "ping,set,get", "-n", "2000", "-P", "16", "-c", "8", "-d", "4096", "-r", "50", "-q");
        Assert.Contains("SET:", seen, StringComparison.Ordinal);
        Assert.Contains("GET:", seen, StringComparison.Ordinal);
    }

    /// <summary>The same bytes to both: the same bytes from both.</summary>
    [Fact]
    public async Task Replies_OfTheFrontAndOfRedis_AreEqual()
    {
        using var redis = await RedisServer.StartAsync();
        await using var host = await FrontHost.StartAsync();
        string[] script =
        [
            Of("CLIENT", "SETNAME", "t"), Of("PING"), Of("PING", "x"), Of("ECHO", ""), "PING\r\n", "  SET   k 'a b'\r\n", Of("GET", "k"), Of("GET", "none"),
            Of("SET", "k", "v", "NX"), Of("SET", "k", "v", "XX"), Of("SET", "k", "w", "GET"), Of("SET", "n", "w", "NX", "GET"), Of("SET", "k", "v", "KEEPTTL"), Of("SET", "k", "v", "NX", "XX"),
            Of("SET", "k", "v", "FOO"), Of("SETNX", "k", "v"), Of("EXISTS", "k", "k", "none"), Of("STRLEN", "k"), Of("TYPE", "k"), Of("TYPE", "none"), Of("MGET", "k", "none"), Of("DBSIZE"),
            Of("DEL", "k", "none"), Of("UNLINK", "k"), Of("DBSIZE"), Of("SELECT", "0"), Of("SELECT", "99"), Of("SELECT", "x"), Of("GET"), Of("SET", "k"), Of("MGET"), Of("EXISTS"),
            Of("AUTH", "x"), Of("HELLO", "9"), Of("CLIENT", "GETNAME"), Of("CLIENT", "SETNAME", "a b"), Of("CLIENT", "MAINT_NOTIFICATIONS", "ON"), Of("CONFIG", "GET", "save"),
            Of("CONFIG", "GET", "nothing"), Of("SCAN", "0"), Of("SCAN", "x"), Of("SCAN", "0", "COUNT", "x"), Of("SCAN", "0", "MATCH"), Of("COMMAND", "DOCS", "none"),
            "*0\r\n*-1\r\nPING\r\n", "\r\n\r\nPING\r\n", Of("FOO", "a", "b"), Of("foo"), Of("SET", "e", ""), Of("GET", "e"), Of("QUIT"),
        ];
        string[] broken = ["*x\r\n", "*1\r\nPING\r\n", "*1\r\n$-1\r\n", "*1\r\n$99999999999\r\n", "*9999999999\r\n", "set k \"a\r\n"];
        var differences = new List<string>();
        foreach (var question in script.Concat(broken))
        {
            // Each on a connection of its own, closed behind it, so that the end of the reply needs no guess.
            var (expected, actual) = (await AskAsync(redis.Endpoint, question), await AskAsync(host.Resp.Endpoint, question));
            if (expected != actual)
            {
                differences.Add($"{question} Redis: {expected} front: {actual}".Replace("\r\n", "|", StringComparison.Ordinal));
            }
        }
        Assert.Empty(differences);
    }

    private static async Task<string> AskAsync(IPEndPoint endpoint, string question)
    {
        using var client = new RawClient(endpoint);
        await client.SendAsync(Of("CLIENT", "ID") + question);
        client.Socket.Shutdown(SocketShutdown.Send);
        var answer = await client.ReadToEndAsync();
        return answer[(answer.IndexOf('\n', StringComparison.Ordinal) + 1)..]; // The id differs.
    }

    /// <summary>A real Redis, stopped with the test.</summary>
    private sealed class RedisServer : IDisposable
    {
        private readonly Process _process;

        private RedisServer(Process process, int port)
        {
            _process = process;
            Endpoint = new IPEndPoint(IPAddress.Loopback, port);
        }

        public IPEndPoint Endpoint { get; }

        public static async Task<RedisServer> StartAsync()
        {
            int port;
            using (var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
            {
                probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
                port = ((IPEndPoint)probe.LocalEndPoint!).Port;
            }
            var process = Process.Start(new ProcessStartInfo("redis-server", ["--port", port.ToString(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]) { RedirectStandardOutput = true })!;
            while (await process.StandardOutput.ReadLineAsync() is { } line)
            {
                if (line.Contains("Ready to accept connections", StringComparison.Ordinal))
                {
                    return new RedisServer(process, port);
                }
            }
            throw new InvalidOperationException($"redis-server ended with {process.ExitCode}.");
        }

        public void Dispose()
        {
            _process.Kill();
            _process.WaitForExit();
            _process.Dispose();
        }
    }
}
