using Ferry.Transfer;
using Ferry.Transfer.Ucx;
using Ferry.Transfer.Ucx.Messages;
using Ferry.Transfer.Ucx.Native;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.IntegrationTests.Transfer;

/// <summary>Reads by messages between workers of this machine's own UCX.</summary>
public sealed class UcxReadsTests : IAsyncLifetime
{
    private const int Bytes = (5 << 20) + 3;

    private UcxHandleCounts _before;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        _before = UcxHandleCounts.Now;
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        Assert.Equal(_before, UcxHandleCounts.Now);
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData("tcp", true)]
    [InlineData("tcp,cma", true)] // UCX 1.13 leaves out cma where it must notice dead peers; 1.22 reads by it.
    [InlineData("tcp,posix", false)]
    [InlineData("tcp,sm", false)]
    [InlineData("all", false)]
    public async Task Read_ByMessagesWhereTcpWouldBeAnswered_BringsEveryByte(string transports, bool byMessages)
    {
        await using var owner = await Node.StartAsync(1, transports);
        await using var reader = await Node.StartAsync(2, transports);
        new Random(1).NextBytes(owner.Memory.Span);
        var endpoint = await reader.ConnectAsync(owner);
        var taken = await endpoint.DescribeAsync();
        Assert.True((byMessages && !taken.Contains("cma", StringComparison.Ordinal)) == endpoint.ReadsByMessage, taken);
        var key = await endpoint.UnpackKeyAsync(owner.Memory.Memory.PackedKey);
        var reading = reader.ReadAsync(endpoint, key, owner, 1, Bytes - 2);
        // The owner learns later how to answer, as it does when a reader's handshake is quicker than its own.
        await owner.ConnectAsync(reader);

        Assert.Equal(UcsStatus.Ok, await reading);
        Assert.True(owner.Memory.Span[1..^1].SequenceEqual(reader.Memory.Span[..^2]));
    }

    [Fact]
    public async Task Read_OfWhatIsNotPublished_IsAnErrorAndTheNextReadWorks()
    {
        await using var owner = await Node.StartAsync(1);
        await using var reader = await Node.StartAsync(2);
        var (endpoint, key) = await reader.ConnectBothWaysAsync(owner);

        Assert.Equal(UcsStatus.OutOfRange, await reader.ReadAsync(endpoint, key, owner, Bytes - 10, 11));
        Assert.Equal(UcsStatus.OutOfRange, await reader.ReadAsync(endpoint, key, owner, -1, 11));
        Assert.Equal(UcsStatus.Ok, await reader.ReadAsync(endpoint, key, owner, Bytes - 10, 10));
    }

    [Fact]
    public async Task Withdraw_WhileItIsRead_LeavesNothingUnderWay()
    {
        await using var owner = await Node.StartAsync(1);
        await using var reader = await Node.StartAsync(2);
        var (endpoint, key) = await reader.ConnectBothWaysAsync(owner);
        var reads = Enumerable.Range(0, 4).Select(_ => ReadUntilRefusedAsync()).ToArray();
        Assert.Equal(UcsStatus.Ok, await reader.ReadAsync(endpoint, key, owner, 0, Bytes));
        var memory = owner.Memory.Memory;
        var sending = await owner.Worker.CallAsync(() =>
        {
            owner.Worker.Answers!.Withdraw(memory);
            return memory.Sending;
        });

        Assert.Equal(0, sending);
        Assert.All(await Task.WhenAll(reads), status => Assert.Equal(UcsStatus.OutOfRange, status));

        async Task<UcsStatus> ReadUntilRefusedAsync()
        {
            UcsStatus status;
            do
            {
                status = await reader.ReadAsync(endpoint, key, owner, 0, Bytes);
            }
            while (status == UcsStatus.Ok);
            return status;
        }
    }

    [Fact]
    public async Task Readers_ThatGoInMidRead_HarmNobody()
    {
        await using var owner = await Node.StartAsync(1);
        new Random(3).NextBytes(owner.Memory.Span);
        for (var round = 0; round < 40; round++)
        {
            await using var reader = await Node.StartAsync((UInt128)(round + 2));
            var (endpoint, key) = await reader.ConnectBothWaysAsync(owner);
            var pieces = Enumerable.Range(0, 2000).Select(_ => new UcxPiece(reader.Memory.Memory, 0, key, (ulong)owner.Memory.Memory.Address, 1 << (12 + (round % 9)))).ToArray();
            Assert.Equal(UcsStatus.Ok, await reader.ReadAsync(endpoint, key, owner, 0, 64)); // UCX asserts when a worker goes before its peer has answered.
            var moving = endpoint.MoveAsync(TransferDirection.Read, pieces, Token);
            await Task.Delay(round % 7, Token); // Somewhere in the middle, elsewhere in each round.
            await reader.Worker.DisposeAsync(); // Its sockets are closed with answers unread.
            await moving;
        }
        await using var last = await Node.StartAsync(100);
        var (way, theirs) = await last.ConnectBothWaysAsync(owner);
        Assert.Equal(UcsStatus.Ok, await last.ReadAsync(way, theirs, owner, 0, Bytes));
        Assert.True(owner.Memory.Span.SequenceEqual(last.Memory.Span));
    }

    [Fact]
    public async Task Endpoints_ThatBothSidesCloseInMidRead_HarmNobody()
    {
        await using var owner = await Node.StartAsync(1);
        await using var reader = await Node.StartAsync(2);
        new Random(5).NextBytes(owner.Memory.Span);
        for (var round = 0; round < 20; round++)
        {
            var endpoint = await reader.ConnectAsync(owner);
            var key = await endpoint.UnpackKeyAsync(owner.Memory.Memory.PackedKey);
            var back = await owner.ConnectAsync(reader);
            Assert.Equal(UcsStatus.Ok, await reader.ReadAsync(endpoint, key, owner, 0, 64));
            var pieces = Enumerable.Range(0, 100).Select(_ => new UcxPiece(reader.Memory.Memory, 0, key, (ulong)owner.Memory.Memory.Address, Bytes)).ToArray();
            var moving = endpoint.MoveAsync(TransferDirection.Read, pieces, Token);

            // The reader takes nothing for a while, so that the owner has bytes to send when it closes. Then the owner looks away until there are both
            // room to send them and the reader's notice of the end: UCX frees the connection because of the one, and uses it because of the other.
            var readerAway = reader.Worker.CallAsync(() => Token.WaitHandle.WaitOne(60));
            await Task.Delay(20, Token);
            await owner.Worker.CallAsync(() =>
            {
                back.BeginClose();
                return true;
            });
            await Task.Delay(5, Token);
            var away = owner.Worker.CallAsync(() => Token.WaitHandle.WaitOne(80));
            await endpoint.DisposeAsync();
            await readerAway;
            Assert.NotEqual(UcsStatus.Ok, await moving);
            await away;
            await back.DisposeAsync();
        }
        var (way, theirs) = await reader.ConnectBothWaysAsync(owner);
        Assert.Equal(UcsStatus.Ok, await reader.ReadAsync(way, theirs, owner, 0, Bytes));
        Assert.True(owner.Memory.Span.SequenceEqual(reader.Memory.Span));
    }

    [Fact]
    public async Task Messages_ThatAreNoQuestionOrAnswer_AreIgnored()
    {
        await using var owner = await Node.StartAsync(1);
        await using var reader = await Node.StartAsync(2);
        var (endpoint, key) = await reader.ConnectBothWaysAsync(owner);
        var random = new Random(4);
        for (var round = 0; round < 300; round++)
        {
            var header = new byte[random.Next(64)];
            random.NextBytes(header);
            if (header.Length > 3 && round % 2 == 0)
            {
                (header[0], header[1], header[2], header[3]) = (1, 0, 0, 0); // As far as the version it is one.
            }
            var id = round % 3 == 0 ? UcxReadAnswer.MessageId : UcxReadQuestion.MessageId;
            Assert.Equal(UcsStatus.Ok, await endpoint.SendMessageAsync(id, header, new byte[random.Next(200)]));
        }

        Assert.Equal(UcsStatus.Ok, await reader.ReadAsync(endpoint, key, owner, 0, Bytes));
    }

    [Fact]
    public async Task Answers_OutsideOfWhatWasAskedFor_EndTheReadAndWriteNothing()
    {
        await using var owner = await Node.StartAsync(1);
        await using var reader = await Node.StartAsync(2);
        var endpoint = await reader.ConnectAsync(owner);
        var key = await endpoint.UnpackKeyAsync(owner.Memory.Memory.PackedKey);
        var liar = await owner.ConnectAsync(reader, answers: false);
        foreach (var (offset, bytes) in new[] { (0, 101), (91, 10), (int.MaxValue, 10), (0, 0) })
        {
            reader.Memory.Span.Clear();
            var reading = reader.ReadAsync(endpoint, key, owner, 0, 100);
            var header = new byte[UcxReadAnswer.HeaderBytes];
            var payload = new byte[bytes];
            payload.AsSpan().Fill(0xff);
            new UcxReadAnswer(await reader.Worker.CallAsync(() => reader.Worker.Reads!.LastId), offset).Write(header);
            Assert.Equal(UcsStatus.Ok, await liar.SendMessageAsync(UcxReadAnswer.MessageId, header, payload));

            Assert.True(await reading < UcsStatus.Ok);
            Assert.False(reader.Memory.Span.ContainsAnyExcept((byte)0));
        }
    }

    private sealed class Node : IAsyncDisposable
    {
        private readonly UcxContext _context;
        private readonly UInt128 _token;

        private Node(UcxContext context, UcxWorker worker, UInt128 token)
        {
            (_context, Worker, _token) = (context, worker, token);
            Memory = new MappedBytes(context, Bytes);
        }

        public UcxWorker Worker { get; }

        public MappedBytes Memory { get; }

        public static async Task<Node> StartAsync(UInt128 token, string transports = "tcp")
        {
            var context = UcxContext.Create(new UcxOptions { Transports = transports });
            var worker = await UcxWorker.StartAsync(context, NullLogger.Instance);
            await worker.ReadByMessagesAsync(token);
            var node = new Node(context, worker, token);
            await worker.CallAsync(() =>
            {
                worker.Answers!.Publish(node.Memory.Memory);
                return true;
            });
            return node;
        }

        public Task<UcxEndpoint> ConnectAsync(Node peer, bool answers = true) => Worker.ConnectAsync(peer.Worker.Address, failed: null, answers ? peer._token : default);

        public async Task<(UcxEndpoint Endpoint, UcxRemoteKey Key)> ConnectBothWaysAsync(Node owner)
        {
            await owner.ConnectAsync(this);
            var endpoint = await ConnectAsync(owner);
            return (endpoint, await endpoint.UnpackKeyAsync(owner.Memory.Memory.PackedKey));
        }

        /// <summary>Reads a range of the owner's memory to the beginning of this one's.</summary>
        public Task<UcsStatus> ReadAsync(UcxEndpoint endpoint, UcxRemoteKey key, Node owner, int from, int bytes) =>
            endpoint.GetAsync(Memory.Memory, 0, (ulong)(owner.Memory.Memory.Address + from), key, bytes, Token).WaitAsync(TimeSpan.FromSeconds(60), Token);

        public async ValueTask DisposeAsync()
        {
            await Worker.DisposeAsync();
            Memory.Dispose();
            _context.Dispose();
        }
    }
}
