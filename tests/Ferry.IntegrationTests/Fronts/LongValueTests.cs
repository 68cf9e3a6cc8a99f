using static Ferry.IntegrationTests.Fronts.RespText;

namespace Ferry.IntegrationTests.Fronts;

/// <summary>Alone, since it looks at what the whole process allocates.</summary>
[CollectionDefinition(nameof(LongValueTests), DisableParallelization = true)]
[Collection(nameof(LongValueTests))]
public sealed class LongValueTests
{
    private const int ValueBytes = 512 << 20;

    /// <summary>The longest value there is goes from the socket to its place and back: nothing of its size is ever allocated.</summary>
    [Fact]
    public async Task SetAndGet_Of512MiB_AllocateNothingOfThatSize()
    {
        await using var host = await FrontHost.StartAsync(memoryBytes: 600L << 20);
        using var client = host.ConnectResp();
        var piece = new byte[4 << 20];
        new Random(9).NextBytes(piece);
        await client.ExchangeAsync(Of("PING"), "+PONG\r\n");
        var before = GC.GetTotalAllocatedBytes(precise: true);

        await client.SendAsync($"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${ValueBytes}\r\n");
        for (var sent = 0; sent < ValueBytes; sent += piece.Length)
        {
            await client.SendAsync(piece);
        }
        await client.ExchangeAsync("\r\n", "+OK\r\n");
        await client.ExchangeAsync(Of("GET", "k"), $"${ValueBytes}\r\n");
        var target = new byte[piece.Length];
        for (var got = 0; got < ValueBytes; got += target.Length)
        {
            for (var done = 0; done < target.Length;)
            {
                done += await client.Socket.ReceiveAsync(target.AsMemory(done), System.Net.Sockets.SocketFlags.None);
            }
            Assert.True(target.AsSpan().SequenceEqual(piece), $"Other bytes from {got} on.");
        }
        await client.ExpectAsync("\r\n");

        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 16 << 20);
    }
}
