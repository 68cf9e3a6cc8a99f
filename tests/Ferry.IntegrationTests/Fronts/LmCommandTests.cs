using System.Text;
using Ferry.Cache.Remote.Lm;
using Ferry.TestKit;
using static Ferry.IntegrationTests.Fronts.RespText;

namespace Ferry.IntegrationTests.Fronts;

public sealed class LmCommandTests
{
    private const string Key = "meta-llama/Llama-3.1-8B@1@0@-35f1594f30257744@bfloat16";
    private static readonly LmShape Shape = new(1, 3, 2, 1, 8, 16);
    private static readonly byte[] Value = MakeValue();

    private static byte[] MakeValue()
    {
        var value = new byte[2 * 1 * 8 * 16 * 2];
        new Random(5).NextBytes(value);
        return value;
    }

    private static byte[] Ask(LmForm form, LmCommand command, string key, int valueBytes = 0) =>
        LmWire.WriteRequest(form, command, valueBytes, command == LmCommand.Put ? Shape : LmShape.OfNothing, Encoding.UTF8.GetBytes(key));

    private static byte[] Reply(LmForm form, int code, int valueBytes, LmShape shape)
    {
        var reply = new byte[LmWire.ReplyBytes(form)];
        LmWire.WriteReply(form, code, valueBytes, shape, reply);
        return reply;
    }

    private static async Task ExchangeAsync(RawClient client, byte[] question, byte[] answer)
    {
        await client.SendAsync(question);
        Assert.Equal(answer, await client.ReceiveAsync(answer.Length));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Requests_OfEitherForm_AreAnsweredInThatForm(bool isOld)
    {
        var form = isOld ? LmForm.Old : LmForm.WithLocation;
        var (yes, no) = (Reply(form, 200, 0, LmShape.OfNothing), Reply(form, 400, 0, LmShape.OfNothing));
        await using var host = await FrontHost.StartAsync();
        using var client = host.ConnectLm();
        await ExchangeAsync(client, Ask(form, LmCommand.Health, ""), yes);
        await ExchangeAsync(client, Ask(form, LmCommand.Exist, Key), no);
        await ExchangeAsync(client, Ask(form, LmCommand.Get, Key), no);
        await client.SendAsync((byte[])[.. Ask(form, LmCommand.Put, Key, Value.Length), .. Value]);
        await ExchangeAsync(client, Ask(form, LmCommand.Exist, Key), yes);
        await ExchangeAsync(client, Ask(form, LmCommand.Get, Key), [.. Reply(form, 200, Value.Length, Shape), .. Value]);
        await ExchangeAsync(client, Ask(form, LmCommand.Get, ""), no);
        await ExchangeAsync(client, Ask(form, LmCommand.Put, "", 3), []);
        await ExchangeAsync(client, [1, 2, 3, .. Ask(form, LmCommand.Exist, Key)], yes);
        await client.SendAsync(Ask(form, LmCommand.List, ""));
        await client.ReceiveAsync(LmWire.ReplyBytes(form));
    }

    [Fact]
    public async Task List_OfSeveralKeys_GivesOneALine()
    {
        await using var host = await FrontHost.StartAsync();
        using var client = host.ConnectLm();
        string[] keys = ["m@1@0@aa@half", "m@1@0@bb@half", "m@1@0@cc@half"];
        foreach (var key in keys)
        {
            await client.SendAsync((byte[])[.. Ask(LmForm.WithLocation, LmCommand.Put, key, Value.Length), .. Value]);
        }
        await client.SendAsync(Ask(LmForm.WithLocation, LmCommand.List, ""));
        var header = await client.ReceiveAsync(36);
        var names = Encoding.UTF8.GetString(await client.ReceiveAsync(BitConverter.ToInt32(header, 4))).Split('\n');
        Assert.Equal(keys, names.Order());
    }

    /// <summary>One record, two protocols: what one client stores the other finds, with its shape.</summary>
    [Fact]
    public async Task Value_PutOverLm_IsThePairOfTheRedisClient_AndTheReverse()
    {
        var note = new byte[LmShape.NoteBytes];
        Shape.WriteNote(Value.Length, note);
        var (noteText, valueText) = (Encoding.Latin1.GetString(note), Encoding.Latin1.GetString(Value));
        await using var host = await FrontHost.StartAsync();
        using var lm = host.ConnectLm();
        using var resp = host.ConnectResp();
        await lm.SendAsync((byte[])[.. Ask(LmForm.WithLocation, LmCommand.Put, Key, Value.Length), .. Value]);
        await ExchangeAsync(lm, Ask(LmForm.WithLocation, LmCommand.Exist, Key), Reply(LmForm.WithLocation, 200, 0, LmShape.OfNothing));
        await resp.ExchangeAsync(Of("EXISTS", Key + "metadata"), ":1\r\n");
        await resp.ExchangeAsync(Of("GET", Key + "metadata"), $"$28\r\n{noteText}\r\n");
        await resp.ExchangeAsync(Of("GET", Key + "kv_bytes"), $"${Value.Length}\r\n{valueText}\r\n");

        const string Other = "meta-llama/Llama-3.1-8B@1@0@13e439faf3018145@bfloat16";
        await resp.ExchangeAsync(Of("SET", Other + "kv_bytes", valueText), "+OK\r\n");
        await ExchangeAsync(lm, Ask(LmForm.WithLocation, LmCommand.Exist, Other), Reply(LmForm.WithLocation, 400, 0, LmShape.OfNothing));
        await resp.ExchangeAsync(Of("SET", Other + "metadata", noteText), "+OK\r\n");
        await ExchangeAsync(lm, Ask(LmForm.WithLocation, LmCommand.Exist, Other), Reply(LmForm.WithLocation, 200, 0, LmShape.OfNothing));
        await ExchangeAsync(lm, Ask(LmForm.WithLocation, LmCommand.Get, Other), [.. Reply(LmForm.WithLocation, 200, Value.Length, Shape), .. Value]);
    }

    [Fact]
    public async Task Value_WithoutMetadata_IsNotThereForALmClient()
    {
        await using var host = await FrontHost.StartAsync();
        using var lm = host.ConnectLm();
        using var resp = host.ConnectResp();
        await resp.ExchangeAsync(Of("SET", Key, "bytes of a client that says no shape"), "+OK\r\n");
        await ExchangeAsync(lm, Ask(LmForm.WithLocation, LmCommand.Exist, Key), Reply(LmForm.WithLocation, 400, 0, LmShape.OfNothing));
        await ExchangeAsync(lm, Ask(LmForm.WithLocation, LmCommand.Get, Key), Reply(LmForm.WithLocation, 400, 0, LmShape.OfNothing));
    }

    [Fact]
    public async Task Value_UnderAKeyThatLmCacheDoesNotPrint_IsKeptWithItsShape()
    {
        await using var host = await FrontHost.StartAsync();
        using var lm = host.ConnectLm();
        await lm.SendAsync((byte[])[.. Ask(LmForm.WithLocation, LmCommand.Put, "any key at all", Value.Length), .. Value]);
        await ExchangeAsync(lm, Ask(LmForm.WithLocation, LmCommand.Exist, "any key at all"), Reply(LmForm.WithLocation, 200, 0, LmShape.OfNothing));
        await ExchangeAsync(lm, Ask(LmForm.WithLocation, LmCommand.Get, "any key at all"), [.. Reply(LmForm.WithLocation, 200, Value.Length, Shape), .. Value]);
    }

    [Fact]
    public async Task Put_WithoutRoom_IsReadPastAndCounted()
    {
        await using var host = await FrontHost.StartAsync(memoryBytes: 1 << 20);
        using var lm = host.ConnectLm();
        await lm.SendAsync((byte[])[.. Ask(LmForm.WithLocation, LmCommand.Put, Key, 3 << 20), .. new byte[3 << 20]]);
        await ExchangeAsync(lm, Ask(LmForm.WithLocation, LmCommand.Exist, Key), Reply(LmForm.WithLocation, 400, 0, LmShape.OfNothing));
        var text = new StringBuilder();
        host.Registry.WriteText(text);
        Assert.Contains("ferry_front_puts_refused_total{front=\"lm\",reason=\"TooLarge\"} 1.0", text.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n")] // A Redis client at the wrong port.
    [InlineData("GET / HTTP/1.1\r\nHost: localhost:65432\r\nUser-Agent: curl\r\n\r\n")]
    public async Task OtherProtocol_IsAnsweredAndClosed(string bytes)
    {
        await using var host = await FrontHost.StartAsync();
        using var client = host.ConnectLm();
        await client.SendAsync(bytes);
        await client.SendAsync(new string('x', 200));
        client.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        Assert.Equal(400, BitConverter.ToInt32(await client.ReceiveAsync(4)));
        await client.ReadToEndAsync();
        await Eventually.HoldsAsync(() => host.Lm.ConnectionCount == 0);
    }
}
