using System.Text;
using Ferry.Cache;
using Ferry.Cache.Remote.Clients;
using Ferry.TestKit.Cache;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Ferry.UnitTests.Cache.Remote.Clients;

/// <summary>Keys that name no model: bytes in, the same bytes out.</summary>
public sealed class OpaqueKeysTests : IAsyncDisposable
{
    private readonly RecordCache _cache = new(TestRecords.Store(1 << 20), [], new RecordCacheOptions(), TimeProvider.System, NullLoggerFactory.Instance);
    private readonly ClientStore _store;

    public OpaqueKeysTests() => _store = new ClientStore(_cache, new RecordCacheOptions());

    public async ValueTask DisposeAsync()
    {
        _cache.Memory.CheckIntegrity();
        Assert.Equal((0, 0L), (_cache.Memory.Snapshot().Leases, _cache.Memory.Snapshot().HeldBytes));
        await _cache.DisposeAsync();
    }

    private static ReadOnlyMemory<byte> Key(string text) => Encoding.UTF8.GetBytes(text);

    private async Task<ClientPutOutcome> PutAsync(string key, byte[] value, byte[]? note = null, int piece = int.MaxValue)
    {
        var outcome = _store.BeginPut(Key(key).Span, value.Length, note, out var write);
        if (write is not null)
        {
            using (write)
            {
                for (var offset = 0; offset < value.Length; offset += piece)
                {
                    var count = Math.Min(piece, value.Length - offset);
                    value.AsSpan(offset, count).CopyTo(write.Bytes.Span[offset..]);
                    write.Advance(count);
                }
                await write.CommitAsync(CancellationToken.None);
            }
        }
        return outcome;
    }

    private async Task<byte[]?> GetAsync(string key)
    {
        using var value = await _store.TryGetAsync(Key(key), CancellationToken.None);
        return value?.Bytes.ToArray();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4096)]
    public async Task Put_AnyLength_ComesBackAsItWas(int length)
    {
        var value = new byte[length];
        new Random(length).NextBytes(value);
        Assert.False(await _store.ExistsAsync(Key("k"), CancellationToken.None));
        Assert.Equal(ClientPutOutcome.Ready, await PutAsync("k", value, [1, 2, 3], piece: 1000));
        Assert.True(await _store.ExistsAsync(Key("k"), CancellationToken.None));
        Assert.Equal(value, await GetAsync("k"));
        using var stored = await _store.TryGetAsync(Key("k"), CancellationToken.None);
        Assert.Equal([1, 2, 3], stored!.Note.ToArray());
    }

    [Fact]
    public async Task Put_TheSameKeyAgain_TheLastWriterStays()
    {
        await PutAsync("k", [1, 2, 3, 4]);
        await PutAsync("k", [5, 6, 7, 8]);
        Assert.Equal([5, 6, 7, 8], await GetAsync("k"));
        await PutAsync("k", [9]);
        Assert.Equal([9], await GetAsync("k"));
        Assert.True(await _store.DeleteAsync(Key("k"), CancellationToken.None));
        Assert.False(await _store.DeleteAsync(Key("k"), CancellationToken.None));
        Assert.Null(await GetAsync("k"));
    }

    [Fact]
    public async Task BeginPut_GivenUp_LeavesNothing()
    {
        Assert.Equal(ClientPutOutcome.Ready, _store.BeginPut(Key("k").Span, 100, [], out var write));
        await Assert.ThrowsAsync<InvalidOperationException>(() => write!.CommitAsync(CancellationToken.None).AsTask());
        write!.Dispose();
        Assert.Null(await GetAsync("k"));
        Assert.Equal(0, _cache.Memory.Snapshot().UsedBytes);
    }

    [Fact]
    public async Task BeginPut_KeyOrValueBeyondTheLimits_IsRefusedWithTheReason()
    {
        Assert.Equal(ClientPutOutcome.BadKey, await PutAsync("", [1]));
        Assert.Equal(ClientPutOutcome.BadKey, await PutAsync(new string('k', 513), [1]));
        Assert.Equal(ClientPutOutcome.TooLarge, await PutAsync("k", new byte[1 << 20]));
    }
}
