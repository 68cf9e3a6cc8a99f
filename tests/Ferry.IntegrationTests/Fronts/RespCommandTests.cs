using System.Text;
using Ferry.Cache.Remote.Resp;
using static Ferry.IntegrationTests.Fronts.RespText;

namespace Ferry.IntegrationTests.Fronts;

/// <summary>Every command and its exact reply. Where Redis 7 has a reply it is that one; <see cref="RedisPeerTests"/> asks a real one.</summary>
public sealed class RespCommandTests
{
    [Fact]
    public async Task Commands_OfAPlainClient_AreAnsweredByteForByte()
    {
        await using var host = await FrontHost.StartAsync();
        using var client = host.ConnectResp();
        await client.ExchangeAsync(Of("CLIENT", "SETNAME", "tester"), "+OK\r\n");
        (string[] Words, string Reply)[] script =
        [
            (["PING"], "+PONG\r\n"),
            (["ping", "hello"], "$5\r\nhello\r\n"),
            (["ECHO", "a\r\nb"], "$4\r\na\r\nb\r\n"),
            (["GET", "none"], "$-1\r\n"),
            (["SET", "a", "1"], "+OK\r\n"),
            (["SET", "a", "another"], "+OK\r\n"),
            (["GET", "a"], "$7\r\nanother\r\n"),
            (["SET", "empty", ""], "+OK\r\n"),
            (["GET", "empty"], "$0\r\n\r\n"),
            (["EXISTS", "a", "none", "a", "empty"], ":3\r\n"),
            (["STRLEN", "a"], ":7\r\n"),
            (["STRLEN", "none"], ":0\r\n"),
            (["TYPE", "a"], "+string\r\n"),
            (["TYPE", "none"], "+none\r\n"),
            (["MGET", "a", "none", "empty"], "*3\r\n$7\r\nanother\r\n$-1\r\n$0\r\n\r\n"),
            (["DBSIZE"], ":2\r\n"),
            (["SET", "a", "x", "NX"], "$-1\r\n"),
            (["SET", "b", "x", "XX"], "$-1\r\n"),
            (["SET", "b", "x", "nx"], "+OK\r\n"),
            (["SET", "b", "y", "XX", "KEEPTTL"], "+OK\r\n"),
            (["SET", "b", "z", "GET"], "$1\r\ny\r\n"),
            (["SET", "c", "z", "GET"], "$-1\r\n"),
            (["SET", "b", "q", "NX", "GET"], "$1\r\nz\r\n"),
            (["GET", "b"], "$1\r\nz\r\n"),
            (["SETNX", "b", "x"], ":0\r\n"),
            (["SETNX", "d", "x"], ":1\r\n"),
            (["DEL", "d"], ":1\r\n"),
            (["SET", "a", "x", "NX", "XX"], "-ERR syntax error\r\n"),
            (["SET", "a", "x", "EX", "10"], "-ERR SET with EX is refused: values here do not expire, the cache's eviction policy decides. Leave it out.\r\n"),
            (["SET", "a", "x", "KEEPTL"], "-ERR syntax error: SET has no option 'KEEPTL' (did you mean KEEPTTL?)\r\n"),
            (["GET", "a"], "$7\r\nanother\r\n"),
            (["DEL", "a", "none", "empty"], ":2\r\n"),
            (["UNLINK", "b", "c"], ":2\r\n"),
            (["DBSIZE"], ":0\r\n"),
            (["SELECT", "0"], "+OK\r\n"),
            (["SELECT", "1"], "-ERR DB index is out of range\r\n"),
            (["SELECT", "x"], "-ERR value is not an integer or out of range\r\n"),
            (["GET"], "-ERR wrong number of arguments for 'get' command\r\n"),
            (["SET", "a"], "-ERR wrong number of arguments for 'set' command\r\n"),
            (["FOO", "a", "b"], "-ERR unknown command 'FOO', with args beginning with: 'a' 'b' \r\n"),
            (["GETT", "a"], "-ERR unknown command 'GETT', with args beginning with: 'a' (did you mean 'GET'?)\r\n"),
            (["FLUSHALL"], "-ERR FLUSHALL is refused: it would empty the cache of every client. To allow it set cache.resp.allowFlush\r\n"),
            (["AUTH", "x"], "-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?\r\n"),
            (["CLIENT", "GETNAME"], "$6\r\ntester\r\n"),
            (["CLIENT", "SETINFO", "LIB-NAME", "x"], "+OK\r\n"),
            (["CLIENT", "SETINFO", "LIB-COLOR", "x"], "-ERR Unrecognized option 'LIB-COLOR'\r\n"),
            (["CLIENT", "SETNAME", "a b"], "-ERR Client names cannot contain spaces, newlines or special characters.\r\n"),
            (["CLIENT", "MAINT_NOTIFICATIONS", "ON"], "-ERR unknown subcommand 'MAINT_NOTIFICATIONS'. Try CLIENT HELP.\r\n"),
            (["CLIENT", "NO-EVICT", "ON"], "+OK\r\n"),
            (["COMMAND"], "*0\r\n"),
            (["COMMAND", "DOCS"], "*0\r\n"),
            (["CONFIG", "GET", "save"], "*2\r\n$4\r\nsave\r\n$0\r\n\r\n"),
            (["CONFIG", "GET", "app*", "nothing"], "*2\r\n$10\r\nappendonly\r\n$2\r\nno\r\n"),
            (["CONFIG", "SET", "save", ""], "-ERR only CONFIG GET is served: the exchange's own configuration decides, not its clients\r\n"),
            (["SCAN", "x"], "-ERR invalid cursor\r\n"),
            (["SCAN", "0", "COUNT", "0"], "-ERR value is not an integer or out of range\r\n"),
            (["SCAN", "0", "MATCH"], "-ERR syntax error\r\n"),
            (["HELLO", "4"], "-NOPROTO unsupported protocol version\r\n"),
        ];
        foreach (var (words, reply) in script)
        {
            await client.ExchangeAsync(Of(words), reply);
        }
        await client.SendAsync(Of("QUIT"));
        Assert.Equal("+OK\r\n", await client.ReadToEndAsync());
    }

    [Fact]
    public async Task Commands_Pipelined_AreAnsweredInOrder()
    {
        await using var host = await FrontHost.StartAsync();
        using var client = host.ConnectResp();
        var value = new string('v', 30_000);
        var questions = new StringBuilder();
        var answers = new StringBuilder();
        for (var index = 0; index < 200; index++)
        {
            questions.Append(Of("SET", $"k{index % 7}", value + index)).Append(Of("GET", $"k{index % 7}")).Append("PING\r\n");
            answers.Append($"+OK\r\n${value.Length + index.ToString().Length}\r\n{value}{index}\r\n+PONG\r\n");
        }
        var sending = client.SendAsync(questions.ToString());
        await client.ExpectAsync(answers.ToString());
        await sending;
    }

    [Fact]
    public async Task Hello3_ThenCommands_UseTheTypesOfResp3()
    {
        await using var host = await FrontHost.StartAsync();
        using var client = host.ConnectResp();
        await client.SendAsync(Of("HELLO", "3", "SETNAME", "me"));
        await client.ExpectAsync("%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.2.0\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:1\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n");
        await client.ExchangeAsync(Of("GET", "none"), "_\r\n");
        await client.ExchangeAsync(Of("CLIENT", "GETNAME"), "$2\r\nme\r\n");
        await client.ExchangeAsync(Of("CONFIG", "GET", "save"), "%1\r\n$4\r\nsave\r\n$0\r\n\r\n");
        await client.ExchangeAsync(Of("COMMAND", "DOCS"), "%0\r\n");
        await client.SendAsync(Of("HELLO", "2"));
        Assert.StartsWith("*14\r\n", Encoding.Latin1.GetString(await client.ReceiveAsync(5)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scan_UntilTheCursorIsZero_GivesEveryKeyThatMatches()
    {
        await using var host = await FrontHost.StartAsync();
        using var client = host.ConnectResp();
        for (var index = 0; index < 50; index++)
        {
            await client.ExchangeAsync(Of("SET", $"key:{index}", "v"), "+OK\r\n");
            await client.ExchangeAsync(Of("SET", $"other:{index}", "v"), "+OK\r\n");
        }
        var found = new HashSet<string>();
        var cursor = "0";
        do
        {
            await client.SendAsync(Of("SCAN", cursor, "MATCH", "key:*", "COUNT", "7", "TYPE", "string"));
            await client.ExpectAsync("*2\r\n");
            cursor = await ReadBulkAsync(client);
            var keys = int.Parse(await ReadLineAsync(client, '*'));
            for (var index = 0; index < keys; index++)
            {
                found.Add(await ReadBulkAsync(client));
            }
        }
        while (cursor != "0");

        Assert.Equal(Enumerable.Range(0, 50).Select(index => $"key:{index}").Order(), found.Order());
        await client.ExchangeAsync(Of("SCAN", "0", "TYPE", "hash", "COUNT", "10000"), "*2\r\n$1\r\n0\r\n*0\r\n");
    }

    [Fact]
    public async Task Flush_WhenAllowed_EmptiesTheCache()
    {
        await using var host = await FrontHost.StartAsync(new RespFrontOptions { Port = 0, AllowFlush = true });
        using var client = host.ConnectResp();
        await client.ExchangeAsync(Of("SET", "a", "1"), "+OK\r\n");
        await client.ExchangeAsync(Of("FLUSHDB", "ASYNC"), "+OK\r\n");
        await client.ExchangeAsync(Of("GET", "a"), "$-1\r\n");
        await client.ExchangeAsync(Of("DBSIZE"), ":0\r\n");
        await client.ExchangeAsync(Of("FLUSHALL", "NOW"), "-ERR syntax error\r\n");
    }

    [Fact]
    public async Task Password_WhenSet_IsAskedOfEverybody()
    {
        await using var host = await FrontHost.StartAsync(new RespFrontOptions { Port = 0, Password = "sesame", User = "engine" });
        using var client = host.ConnectResp();
        await client.ExchangeAsync(Of("GET", "a"), "-NOAUTH Authentication required.\r\n");
        await client.ExchangeAsync(Of("PINGG"), "-NOAUTH Authentication required.\r\n");
        await client.ExchangeAsync(Of("AUTH", "engine", "wrong"), "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
        await client.ExchangeAsync(Of("AUTH", "sesame"), "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
        await client.ExchangeAsync(Of("AUTH", "engine", "sesame"), "+OK\r\n");
        await client.ExchangeAsync(Of("SET", "a", "1"), "+OK\r\n");
        using var resp3 = host.ConnectResp();
        await resp3.SendAsync(Of("HELLO", "3", "AUTH", "engine", "sesame"));
        await resp3.ExpectAsync("%7\r\n");
        using var guesser = host.ConnectResp();
        await guesser.SendAsync(string.Concat(Enumerable.Repeat(Of("AUTH", "engine", "guess"), 20)));
        Assert.Equal(8, (await guesser.ReadToEndAsync()).Split("-WRONGPASS").Length - 1);
        using var native = host.ConnectResp();
        await native.SendAsync(Of("EXISTS", "a"));
        Assert.Equal("-NOAUTH Authentication required.\r\n", await native.ReadToEndAsync());
    }

    /// <summary>LMCache's native client reads exactly five bytes behind a SET and four behind EXISTS and DEL: after an error it is out of step.</summary>
    [Theory]
    [InlineData("SET")]
    [InlineData("EXISTS")]
    [InlineData("DEL")]
    public async Task FixedReplies_AfterAnError_TheConnectionEnds(string command)
    {
        await using var host = await FrontHost.StartAsync();
        using var client = host.ConnectResp();
        await client.SendAsync(Of(command) + Of("PING"));
        Assert.Equal($"-ERR wrong number of arguments for '{command.ToLowerInvariant()}' command\r\n", await client.ReadToEndAsync());
    }

    [Fact]
    public async Task Set_KeyTooLongOrEmpty_SaysSoAndReadsPastTheValue()
    {
        await using var host = await FrontHost.StartAsync();
        using var client = host.ConnectResp();
        await client.ExchangeAsync(Of("CLIENT", "ID"), ":1\r\n");
        await client.ExchangeAsync(Of("SET", new string('k', 513), new string('v', 100_000)), "-ERR the key has 513 bytes; a key has 1 to 512\r\n");
        await client.ExchangeAsync(Of("SET", "", "v"), "-ERR the key has 0 bytes; a key has 1 to 512\r\n");
        await client.ExchangeAsync(Of("EXISTS", new string('k', 513)), ":0\r\n");
        await client.ExchangeAsync(Of("GET", new string('k', 513)), "$-1\r\n");
        await client.ExchangeAsync(Of("SET", new string('k', 512), "v"), "+OK\r\n");
    }

    [Fact]
    public async Task Set_LargerThanTheMemory_IsRefusedAndTheConnectionGoesOn()
    {
        await using var host = await FrontHost.StartAsync(memoryBytes: 1 << 20);
        using var client = host.ConnectResp();
        await client.ExchangeAsync(Of("CLIENT", "ID"), ":1\r\n");
        await client.ExchangeAsync(Of("SET", "a", new string('v', 3 << 20)), "-ERR the value has 3145728 bytes, more than the memory tier takes; raise its size, or store less at a time\r\n");
        await client.ExchangeAsync(Of("SET", "a", new string('v', 500_000)), "+OK\r\n");
        await client.ExchangeAsync(Of("STRLEN", "a"), ":500000\r\n");
    }

    private static async Task<string> ReadLineAsync(RawClient client, char type)
    {
        var line = new StringBuilder();
        while (line.Length < 2 || line[^1] != '\n')
        {
            line.Append((char)(await client.ReceiveAsync(1))[0]);
        }
        Assert.Equal(type, line[0]);
        return line.ToString(1, line.Length - 3);
    }

    private static async Task<string> ReadBulkAsync(RawClient client) =>
        Encoding.Latin1.GetString(await client.ReceiveAsync(int.Parse(await ReadLineAsync(client, '$')) + 2))[..^2];
}
