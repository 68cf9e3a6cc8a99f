using System.Text;
using System.Text.Json;
using Ferry.Cache.Remote.Lm;
using Ferry.TestKit;

namespace Ferry.IntegrationTests.Fronts;

/// <summary>What unmodified LMCache clients were recorded to say to their own servers, said again: the front answers byte for byte.</summary>
public sealed class LmCacheReplayTests
{
    /// <summary>The <c>redis://</c> client (redis-py) and the native <c>resp://</c> client, against Redis 7.0.15.</summary>
    [Theory]
    [InlineData("redis_py")]
    [InlineData("native")]
    public async Task Resp_RecordedClient_GetsTheRecordedReplies(string client)
    {
        await using var host = await FrontHost.StartAsync(memoryBytes: 128 << 20);
        var connections = new Dictionary<int, RawClient>();
        var sent = 0;
        try
        {
            foreach (var frame in Read("lmcache_redis_wire.json").GetProperty(client).EnumerateArray())
            {
                var id = frame.GetProperty("conn").GetInt32();
                if (!connections.TryGetValue(id, out var connection))
                {
                    connections[id] = connection = host.ConnectResp();
                }
                var head = Convert.FromHexString(frame.GetProperty("head_hex").GetString()!);
                if (frame.GetProperty("dir").GetString() == "c2s")
                {
                    await connection.SendAsync(Whole(head));
                    sent++;
                }
                else
                {
                    await ExpectAsync(connection, head);
                }
            }
        }
        finally
        {
            foreach (var connection in connections.Values)
            {
                connection.Dispose();
            }
        }
        Assert.True(sent > 4);
        await Eventually.HoldsAsync(() => host.Resp.ConnectionCount == 0);
    }

    [Fact]
    public async Task Lm_RecordedClient_GetsTheRecordedReplies()
    {
        await using var host = await FrontHost.StartAsync(memoryBytes: 200 << 20);
        using var connection = host.ConnectLm();
        byte[]? asked = null;
        byte[]? lastPut = null;
        var replies = 0;
        foreach (var message in Read("lmcache_lm_wire.json").GetProperty("messages").EnumerateArray())
        {
            var header = Convert.FromHexString(message.GetProperty("header_hex").GetString()!);
            if (message.GetProperty("dir").GetString() == "c2s")
            {
                await connection.SendAsync(header);
                if (message.GetProperty("command").GetString() == "PUT")
                {
                    lastPut = header;
                    await connection.SendAsync(Payload(message.GetProperty("payload_follows").GetInt32()));
                }
                else
                {
                    asked = header;
                }
                continue;
            }
            // A question that left in one piece with the payload before it was not recorded; the reply shows which it was, of the value just put.
            var valueBytes = message.GetProperty("payload_follows").GetInt32();
            if (asked is null)
            {
                var key = lastPut!.AsSpan(36).TrimEnd((byte)' ');
                await connection.SendAsync(LmWire.WriteRequest(LmForm.WithLocation, valueBytes > 0 ? LmCommand.Get : LmCommand.Exist, 0, LmShape.OfNothing, key));
            }
            asked = null;
            Assert.Equal(header, await connection.ReceiveAsync(36));
            Assert.Equal(Payload(valueBytes), await connection.ReceiveAsync(valueBytes));
            replies++;
        }
        Assert.Equal(17, replies);
    }

    private static JsonElement Read(string file) => JsonDocument.Parse(File.ReadAllText(RepositoryRoot.At("tests", "data", "fronts", file))).RootElement;

    /// <summary>The recording has the head of a long SET: its value is made up to the length that the head announces.</summary>
    private static byte[] Whole(byte[] head)
    {
        var text = Encoding.Latin1.GetString(head);
        if (!text.StartsWith("*3\r\n$3\r\nSET\r\n", StringComparison.Ordinal) || Length(text) is var (end, valueBytes) && end + valueBytes + 2 == head.Length)
        {
            return head;
        }
        (end, valueBytes) = Length(text);
        return [.. head[..end], .. Payload(valueBytes), .. "\r\n"u8];
    }

    /// <summary>Where the value of a SET starts, and its length.</summary>
    private static (int End, int ValueBytes) Length(string text)
    {
        var lines = text.Split("\r\n", 6);
        var end = lines.Take(5).Sum(line => line.Length + 2) + lines[5].IndexOf("\r\n", StringComparison.Ordinal) + 2;
        return (end, int.Parse(lines[5].AsSpan(1, lines[5].IndexOf("\r\n", StringComparison.Ordinal) - 1)));
    }

    private static async Task ExpectAsync(RawClient connection, byte[] head)
    {
        var text = Encoding.Latin1.GetString(head);
        if (text.StartsWith("%7", StringComparison.Ordinal))
        {
            // The same map, with this server's version and connection.
            await connection.ExpectAsync(text.Replace("$6\r\n7.0.15", "$5\r\n7.2.0", StringComparison.Ordinal).Replace("id\r\n:3", "id\r\n:1", StringComparison.Ordinal));
        }
        else if (text.Contains("'SETINFO'", StringComparison.Ordinal))
        {
            await connection.ExpectAsync("+OK\r\n+OK\r\n"); // As Redis does since 7.2; the recorded one did not know it yet.
        }
        else if (text.StartsWith("$20971520", StringComparison.Ordinal))
        {
            await connection.ExpectAsync("$20971520\r\n");
            Assert.Equal(Payload(20_971_520), await connection.ReceiveAsync(20_971_520));
            await connection.ExpectAsync("\r\n");
        }
        else
        {
            await connection.ExpectAsync(text);
        }
    }

    private static byte[] Payload(int byteCount)
    {
        var bytes = new byte[byteCount];
        new Random(byteCount).NextBytes(bytes);
        return bytes;
    }
}
