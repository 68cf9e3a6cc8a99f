using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Ferry.Cache.Remote.Resp;
using Ferry.TestKit;
using static Ferry.IntegrationTests.Fronts.RespText;

namespace Ferry.IntegrationTests.Fronts;

/// <summary>Many commands in one go, whose answers leave together from where the values lie.</summary>
public sealed class PipelineTests
{
    /// <summary>Around the limits at which a value is copied, held until others are there, or sent at once.</summary>
    private static readonly int[] Lengths = [0, 1, 1023, 1024, 1025, 4096, 16_383, 16_384, 16_385, 70_000];

    [Theory]
    [InlineData(64 << 10)]
    [InlineData(16 << 10)] // The least that the options allow: the values themselves do not fit it.
    public async Task Get_OfManyLengthsInOneGo_AnswersAllInOrder(int bufferBytes)
    {
        await using var host = await FrontHost.StartAsync(new RespFrontOptions { Port = 0, BufferBytes = bufferBytes });
        using var client = host.ConnectResp();
        foreach (var length in Lengths)
        {
            await client.ExchangeAsync(Of("SET", $"k{length}", Value(length)), "+OK\r\n");
        }
        var (questions, answers) = (new StringBuilder(), new StringBuilder());
        for (var round = 0; round < 40; round++) // 400 values, of which the front holds 64 at most.
        {
            foreach (var length in Lengths)
            {
                questions.Append(Of("GET", $"k{length}"));
                answers.Append(Bulk(Value(length)));
            }
            questions.Append(Of("GET", "absent")).Append(Of("PING")).Append(Of("MGET", "k4096", "absent", "k1"));
            answers.Append("$-1\r\n+PONG\r\n*3\r\n").Append(Bulk(Value(4096))).Append("$-1\r\n").Append(Bulk(Value(1)));
        }

        var sending = client.SendAsync(questions.ToString()); // The front may stop reading until it is read from.
        await client.ExpectAsync(answers.ToString());
        await sending;
    }

    /// <summary>A value that was asked for is given as it was then, though it is replaced before it leaves and its place would be taken by the next.</summary>
    [Fact]
    public async Task Get_BeforeReplacementInOneGo_GivesWhatWasThere()
    {
        await using var host = await FrontHost.StartAsync(memoryBytes: 256 << 10);
        using var client = host.ConnectResp();
        string Of4KiB(char letter) => new(letter, 4096);
        await client.ExchangeAsync(Of("SET", "k", Of4KiB('a')), "+OK\r\n");

        var questions = Of("GET", "k");
        var answers = Bulk(Of4KiB('a'));
        foreach (var letter in "bcdefgh")
        {
            questions += Of("SET", "k", Of4KiB(letter)) + Of("GET", "k");
            answers += "+OK\r\n" + Bulk(Of4KiB(letter));
        }
        questions += Of("DEL", "k") + Of("SET", "other", Of4KiB('z')) + Of("GET", "k");
        answers += ":1\r\n+OK\r\n$-1\r\n";

        await client.ExchangeAsync(questions, answers);
    }

    /// <summary>Answers wait for more of a command only while it is there: a client that waits for them in the middle of one gets them.</summary>
    [Fact]
    public async Task Set_ManyInOneGoAndTheLastCut_AnswersThoseThatAreWhole()
    {
        await using var host = await FrontHost.StartAsync();
        using var client = host.ConnectResp();
        var last = Of("SET", "last", Value(5000));
        var questions = string.Concat(Enumerable.Range(0, 100).Select(number => Of("SET", $"k{number}", Value(4000 + number)))); // Six buffers' worth.

        await client.SendAsync(questions + last[..2500]);
        await client.ExpectAsync(string.Concat(Enumerable.Repeat("+OK\r\n", 100)));
        await client.ExchangeAsync(last[2500..], "+OK\r\n");
        await client.ExchangeAsync(Of("GET", "k99") + Of("GET", "last"), Bulk(Value(4099)) + Bulk(Value(5000)));
    }

    /// <summary>What a client does not read keeps no more of the memory than its bound, and goes with the connection.</summary>
    [Fact]
    public async Task Client_ThatAsksAndGoes_LeavesNothingHeld()
    {
        await using var host = await FrontHost.StartAsync();
        using (var client = host.ConnectResp())
        {
            await client.ExchangeAsync(Of("SET", "k", Value(8192)), "+OK\r\n");
            await client.SendAsync(string.Concat(Enumerable.Repeat(Of("GET", "k"), 20)) + "*2\r\n$3\r\nGET\r\n$1\r\n"); // The last is cut.
            client.Socket.LingerState = new LingerOption(true, 0);
        }
        await host.IsQuietAsync();
    }

    [Fact]
    public async Task Get_OfManyValuesOverTls_AnswersAllInOrder()
    {
        using var files = new TlsFiles();
        await using var host = await FrontHost.StartAsync(new RespFrontOptions { Port = 0, TlsCertificatePath = files.CertificatePath, TlsKeyPath = files.KeyPath });
        using var client = new TcpClient();
        await client.ConnectAsync(host.Resp.Endpoint);
        await using var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsClientAsync(files.ForClient());
        await tls.WriteAsync(Encoding.Latin1.GetBytes(Of("SET", "k", Value(4096))));
        var expected = "+OK\r\n";
        for (var index = 0; index < 40; index++)
        {
            await tls.WriteAsync(Encoding.Latin1.GetBytes(Of("GET", "k")));
            expected += Bulk(Value(4096));
        }
        var answer = new byte[expected.Length];
        await tls.ReadExactlyAsync(answer);
        Assert.Equal(expected, Encoding.Latin1.GetString(answer));
        await tls.ShutdownAsync();
    }

    private static string Value(int length) => string.Create(length, length, static (text, seed) =>
    {
        for (var index = 0; index < text.Length; index++)
        {
            text[index] = (char)('a' + ((index + seed) % 23));
        }
    });

    private static string Bulk(string value) => $"${value.Length}\r\n{value}\r\n";
}
