using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ferry.Kv.Ucx;
using Ferry.Transfer;
using Ferry.Transfer.Ucx;
using Ferry.Transfer.Ucx.Native;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.IntegrationTests.Transfer;

/// <summary>The binding against this machine's libucp (Debian: libucx0; FERRY_UCX_LIB for another).</summary>
public sealed class UcxBindingTests : IAsyncLifetime
{
    private readonly List<IAsyncDisposable> _open = [];
    private UcxHandleCounts _before;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        _before = UcxHandleCounts.Now;
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        for (var i = _open.Count - 1; i >= 0; i--)
        {
            await _open[i].DisposeAsync();
        }
        Assert.Equal(_before, UcxHandleCounts.Now); // nothing native is left
    }

    [Fact]
    public void Library_OfThisMachine_SaysItsReleaseAndKnowsHostMemory()
    {
        var library = UcxLibrary.Require();
        Assert.True(library.Version >= UcxVersion.Oldest);
        Assert.StartsWith(library.Version.ToString(), library.Release, StringComparison.Ordinal);
        Assert.Contains("host", library.Api.MemoryTypeNames());
        Assert.Contains("reset", library.Api.Describe(UcsStatus.ConnectionReset), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Library_OnceLoaded_LeavesNullReferencesToTheRuntime()
    {
        using var context = UcxContext.Create(new UcxOptions { Transports = "tcp" });
        Assert.Throws<NullReferenceException>(() => Dereference(null!)); // a signal that UCX's own handler would end the process with
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("tcp,sm")]
    [InlineData("posix,tcp")]
    [InlineData("sysv,tcp")]
    [InlineData("self,tcp,cma")]
    public async Task GetAndPut_BetweenTwoWorkers_MoveEveryByte(string transports)
    {
        const int Bytes = (5 << 20) + 3;
        var (here, there) = (await StartAsync(transports), await StartAsync(transports));
        using var local = new MappedBytes(here.Context, Bytes);
        using var remote = new MappedBytes(there.Context, Bytes);
        new Random(1).NextBytes(remote.Span);
        var endpoint = await here.ConnectAsync(there.Address);
        var key = await endpoint.UnpackKeyAsync(remote.Memory.PackedKey);

        Assert.Equal(UcsStatus.Ok, await endpoint.GetAsync(local.Memory, 0, (ulong)remote.Memory.Address, key, Bytes, Token));
        Assert.True(local.Span.SequenceEqual(remote.Span));

        new Random(2).NextBytes(local.Span);
        Assert.Equal(UcsStatus.Ok, await endpoint.PutAsync(local.Memory, 0, (ulong)remote.Memory.Address, key, Bytes, Token));
        Assert.True(local.Span.SequenceEqual(remote.Span)); // visible when the task ends
        await endpoint.DisposeAsync();
    }

    [Fact]
    public async Task Move_ManyPieces_PutsEachInItsPlace()
    {
        const int Count = 500;
        const int Bytes = 3000;
        var (here, there) = (await StartAsync("tcp,sm"), await StartAsync("tcp,sm"));
        using var local = new MappedBytes(here.Context, Count * Bytes);
        using var remote = new MappedBytes(there.Context, Count * Bytes);
        new Random(3).NextBytes(remote.Span);
        var endpoint = await here.ConnectAsync(there.Address);
        var key = await endpoint.UnpackKeyAsync(remote.Memory.PackedKey);
        var pieces = Enumerable.Range(0, Count)
            .Select(i => new UcxPiece(local.Memory, (long)(Count - 1 - i) * Bytes, key, (ulong)remote.Memory.Address + (ulong)(i * Bytes), Bytes)).ToArray();

        Assert.Equal(UcsStatus.Ok, await endpoint.MoveAsync(TransferDirection.Read, pieces, Token));

        for (var i = 0; i < Count; i++)
        {
            Assert.True(remote.Span.Slice(i * Bytes, Bytes).SequenceEqual(local.Span.Slice((Count - 1 - i) * Bytes, Bytes)));
        }
    }

    [Fact]
    public async Task Messages_ToAWorker_ComeWholeInOrderAndByTheirId()
    {
        const int Count = 200;
        var (here, there) = (await StartAsync("tcp"), await StartAsync("tcp"));
        var came = new List<(string Header, int Bytes)>();
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await there.OnMessageAsync(3, (header, payload) =>
        {
            came.Add((System.Text.Encoding.UTF8.GetString(header), payload.Length));
            if (came.Count == Count)
            {
                all.SetResult();
            }
        });
        var endpoint = await here.ConnectAsync(there.Address);
        for (var i = 0; i < Count; i++)
        {
            Assert.Equal(UcsStatus.Ok, await endpoint.SendMessageAsync(3, System.Text.Encoding.UTF8.GetBytes($"message {i}"), new byte[i * 100]));
        }
        await all.Task.WaitAsync(TimeSpan.FromSeconds(30), Token);
        Assert.Equal(Enumerable.Range(0, Count).Select(i => ($"message {i}", i * 100)), came);
    }

    [Fact]
    public async Task Endpoint_WhosePeerIsGone_FailsItsOperationsAndSaysSo()
    {
        const int Bytes = 1 << 20;
        var (here, there) = (await StartAsync("tcp"), await StartAsync("tcp"));
        using var local = new MappedBytes(here.Context, Bytes);
        using var remote = new MappedBytes(there.Context, Bytes);
        var failed = new TaskCompletionSource<UcsStatus>(TaskCreationOptions.RunContinuationsAsynchronously);
        var endpoint = await here.ConnectAsync(there.Address, status => failed.SetResult(status));
        var key = await endpoint.UnpackKeyAsync(remote.Memory.PackedKey);
        Assert.Equal(UcsStatus.Ok, await endpoint.GetAsync(local.Memory, 0, (ulong)remote.Memory.Address, key, Bytes, Token));

        await there.DisposeAsync();

        var status = await endpoint.GetAsync(local.Memory, 0, (ulong)remote.Memory.Address, key, Bytes, Token).WaitAsync(TimeSpan.FromSeconds(30), Token);
        Assert.True(status < UcsStatus.Ok, status.ToString());
        Assert.True(await failed.Task.WaitAsync(TimeSpan.FromSeconds(30), Token) < UcsStatus.Ok);
        Assert.NotEqual(UcsStatus.Ok, endpoint.Failure);
        Assert.NotEqual(UcsStatus.Ok, await endpoint.FlushAsync());
        await Assert.ThrowsAsync<UcxException>(() => endpoint.UnpackKeyAsync(remote.Memory.PackedKey));
    }

    [Fact]
    public async Task Worker_Disposed_RefusesAndLetsNobodyWait()
    {
        var (here, there) = (await StartAsync("tcp"), await StartAsync("tcp"));
        using var local = new MappedBytes(here.Context, 4096);
        using var remote = new MappedBytes(there.Context, 4096);
        var endpoint = await here.ConnectAsync(there.Address);
        var key = await endpoint.UnpackKeyAsync(remote.Memory.PackedKey);
        Assert.Equal(UcsStatus.Ok, await endpoint.GetAsync(local.Memory, 0, (ulong)remote.Memory.Address, key, 4096, Token));

        await here.DisposeAsync();

        Assert.Equal(UcsStatus.Canceled, await endpoint.GetAsync(local.Memory, 0, (ulong)remote.Memory.Address, key, 4096, Token).WaitAsync(TimeSpan.FromSeconds(10), Token));
        await endpoint.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10), Token);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => here.ConnectAsync(there.Address));
    }

    [Fact]
    public async Task Connect_BytesThatAreNoAddressOfAReachableWorker_IsAnErrorNotACrash()
    {
        var here = await StartAsync("self");
        var there = await StartAsync("tcp");
        await Assert.ThrowsAsync<UcxException>(() => here.ConnectAsync(there.Address));
    }

    [Fact]
    public void Map_UnknownMemoryType_NamesThoseThatThereAre()
    {
        using var context = UcxContext.Create(new UcxOptions { Transports = "tcp" });
        var exception = Assert.Throws<UcxException>(() => context.Map(4096, 4096, "marble"));
        Assert.Contains("'marble', only host", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public unsafe void Map_HostMemoryByName_IsHostMemory()
    {
        using var context = UcxContext.Create(new UcxOptions { Transports = "tcp,sm" });
        var bytes = NativeMemory.AlignedAlloc(4096, 4096);
        using (var memory = context.Map((nint)bytes, 4096, "host"))
        {
            Assert.Equal("host", memory.MemoryType);
            Assert.NotEmpty(memory.PackedKey);
        }
        NativeMemory.AlignedFree(bytes);
    }

    [Theory]
    [InlineData("rc_verbs", "no device for any of the transports UCX_TLS=rc_verbs")]
    [InlineData("tpc", "Did you mean tcp?")]
    public void Create_TransportsThatAreNotHere_SaysSo(string transports, string says) => Assert.Contains(says,
        Assert.Throws<TransferConfigurationException>(() => UcxContext.Create(new UcxOptions { Transports = transports })).Message, StringComparison.Ordinal);

    [Fact]
    public void Resources_OfAContext_AreThoseThatUcxTlsLeaves()
    {
        using var all = UcxContext.Create(new UcxOptions { Transports = "all" });
        using var tcp = UcxContext.Create(new UcxOptions { Transports = "tcp" });
        Assert.Contains(all.Resources(), resource => resource.StartsWith("posix/", StringComparison.Ordinal));
        Assert.NotEmpty(tcp.Resources());
        Assert.All(tcp.Resources(), resource => Assert.StartsWith("tcp/", resource, StringComparison.Ordinal));
    }

    private async Task<UcxWorker> StartAsync(string transports)
    {
        var context = UcxContext.Create(new UcxOptions { Transports = transports });
        var worker = await UcxWorker.StartAsync(context, NullLogger.Instance);
        _open.Add(new DisposeContext(context));
        _open.Add(worker);
        return worker;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Dereference(string text) => text.Length;

    private sealed class DisposeContext(UcxContext context) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            context.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
