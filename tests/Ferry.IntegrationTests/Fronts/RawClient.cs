using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ferry.IntegrationTests.Fronts;

/// <summary>A bare socket: sends what it is told, byte for byte.</summary>
internal sealed class RawClient : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1); // Only for reporting a hang.

    public RawClient(IPEndPoint endpoint)
    {
        Socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Socket.Connect(endpoint);
    }

    public Socket Socket { get; }

    public Task SendAsync(string text) => SendAsync(Encoding.Latin1.GetBytes(text));

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await Socket.SendAsync(bytes, SocketFlags.None, limit.Token)..];
        }
    }

    public async Task<byte[]> ReceiveAsync(int byteCount)
    {
        using var limit = new CancellationTokenSource(Limit);
        var bytes = new byte[byteCount];
        for (var done = 0; done < byteCount;)
        {
            var count = await Socket.ReceiveAsync(bytes.AsMemory(done), SocketFlags.None, limit.Token);
            Assert.True(count > 0, $"The server closed the connection after {done} of {byteCount} bytes: {Encoding.Latin1.GetString(bytes, 0, Math.Min(done, 200))}");
            done += count;
        }
        return bytes;
    }

    /// <summary>Sends, and demands exactly this answer.</summary>
    public async Task ExchangeAsync(string question, string answer)
    {
        await SendAsync(question);
        await ExpectAsync(answer);
    }

    public async Task ExpectAsync(string answer) => Assert.Equal(answer, Encoding.Latin1.GetString(await ReceiveAsync(answer.Length)));

    /// <summary>All that comes until the server closes; a reset counts as that.</summary>
    public async Task<string> ReadToEndAsync()
    {
        using var limit = new CancellationTokenSource(Limit);
        var text = new StringBuilder();
        var bytes = new byte[64 << 10];
        try
        {
            while (await Socket.ReceiveAsync(bytes, SocketFlags.None, limit.Token) is var count and > 0)
            {
                text.Append(Encoding.Latin1.GetString(bytes, 0, count));
            }
        }
        catch (SocketException)
        {
            text.Append("(reset)");
        }
        return text.ToString();
    }

    public void Dispose() => Socket.Dispose();
}
