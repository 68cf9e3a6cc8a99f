using System.Net;
using System.Net.Sockets;
using Ferry.Transfer;
using Ferry.Transfer.Wire;
using Xunit;

namespace Ferry.UnitTests.Transfer;

/// <summary>What is received in one call with something else still comes to whom it belongs.</summary>
public sealed class FrameConnectionTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(57)]
    [InlineData(255)]
    [InlineData(4096)]
    [InlineData(1 << 20)]
    public async Task Receive_FramesAndBytesCutAnywhere_EachComesWhole(int pieceBytes)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var (near, far) = Pair();
        using var sender = far;
        using var connection = new FrameConnection(near, TimeProvider.System);
        var random = new Random(pieceBytes);
        var stream = new List<byte>();
        var sent = new List<(byte[] Payload, byte[] Bulk, byte[] Tail)>();
        for (var round = 0; round < 40; round++)
        {
            var (payload, bulk, tail) = (new byte[random.Next(0, 400)], new byte[random.Next(0, 3) * random.Next(0, 2000)], new byte[32]);
            random.NextBytes(payload);
            random.NextBytes(bulk);
            random.NextBytes(tail);
            sent.Add((payload, bulk, tail));
            var frame = new byte[FrameHeader.HeaderBytes + payload.Length];
            FrameHeader.Write(frame, FrameType.ReadReply, TransferError.None, (ulong)round, payload);
            stream.AddRange([.. frame, .. bulk, .. tail]);
        }
        var sending = Task.Run(
            async () =>
            {
                for (var at = 0; at < stream.Count; at += pieceBytes)
                {
                    await sender.SendAsync(stream.Skip(at).Take(pieceBytes).ToArray(), SocketFlags.None, cancellationToken);
                }
                sender.Shutdown(SocketShutdown.Send);
            },
            cancellationToken);

        foreach (var ((payload, bulk, tail), round) in sent.Select((one, index) => (one, index)))
        {
            var frame = await connection.ReadAsync(1024, cancellationToken);
            Assert.Equal((true, (ulong)round), (frame.IsSuccess, frame.Header.Correlation));
            Assert.Equal(payload, connection.Payload.ToArray());
            var (cameBulk, cameTail) = (new byte[bulk.Length], new byte[tail.Length]);
            Assert.Null(await connection.ReceiveAsync(cameBulk, cancellationToken));
            Assert.Null(await connection.ReceiveAsync(cameTail, cancellationToken));
            Assert.Equal(bulk, cameBulk);
            Assert.Equal(tail, cameTail);
        }
        Assert.False((await connection.ReadAsync(1024, cancellationToken)).IsSuccess);
        await sending;
    }

    private static (Socket Near, Socket Far) Pair()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var near = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        near.Connect(listener.LocalEndPoint!);
        return (near, listener.Accept());
    }
}
