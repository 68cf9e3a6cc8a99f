using System.Text.Json;
using Ferry.Cache.Remote.Clients;
using Ferry.Cache.Remote.Models;
using Ferry.TestKit;
using Xunit;
using static Ferry.UnitTests.Cache.Remote.Clients.ClientStoreHarness;

namespace Ferry.UnitTests.Cache.Remote.Clients;

/// <summary>What unmodified LMCache clients of 2026-04 were seen to send, given to the store in their order.</summary>
public sealed class RecordedClientTests
{
    /// <summary>The shape that the recorded chunks have: [2, 40, 256, 512].</summary>
    private static readonly ModelCard Card = new(Model) { Layers = 40, KvHeads = 4, HeadDim = 128, TensorParallelSizes = [1] };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Lm_RecordedSession_IsAnsweredAsItsOwnServerDid(bool withCard)
    {
        using var wire = JsonDocument.Parse(File.ReadAllBytes(RepositoryRoot.At("tests", "data", "fronts", "lmcache_lm_wire.json")));
        await using var exchange = new ClientStoreHarness(cards: withCard ? new ModelCards([Card]) : ModelCards.None, memoryBytes: 256 << 20);
        var (puts, hits, misses) = (0, 0, 0);
        JsonElement? asked = null;
        foreach (var message in wire.RootElement.GetProperty("messages").EnumerateArray())
        {
            if (message.GetProperty("dir").GetString() == "c2s")
            {
                asked = message;
                if (message.GetProperty("command").GetString() == "PUT")
                {
                    var length = message.GetProperty("length").GetInt32();
                    Assert.Equal(ClientPutOutcome.Ready, await exchange.PutAsync(message.GetProperty("key").GetString()!, new byte[length], NoteOf(message)));
                    puts++;
                }
                continue;
            }
            var (key, there) = (asked!.Value.GetProperty("key").GetString()!, message.GetProperty("code").GetInt32() == 200);
            Assert.Equal(there, await exchange.ExistsAsync(key));
            (hits, misses) = there ? (hits + 1, misses) : (hits, misses + 1);
            if (there && message.GetProperty("length").GetInt32() > 0)
            {
                Assert.Equal(NoteOf(message), await exchange.GetNoteAsync(key));
                Assert.Equal(message.GetProperty("length").GetInt32(), (await exchange.GetAsync(key))!.Length);
                var otherRank = key.Replace("@1@0@", "@2@1@", StringComparison.Ordinal);
                Assert.Equal(withCard || otherRank == key, await exchange.ExistsAsync(otherRank + "metadata"));
            }
        }
        Assert.True(puts > 0 && hits > 0 && misses > 0);
        Assert.DoesNotContain("ferry_client_contradictions_total{model=\"meta-llama/Llama-3.1-8B\"} 1", exchange.Metrics(), StringComparison.Ordinal);

        static byte[] NoteOf(JsonElement message)
        {
            var shape = message.GetProperty("shape").EnumerateArray().Select(number => number.GetInt32()).ToArray();
            return new ClientNote(
                message.GetProperty("length").GetInt32(), message.GetProperty("fmt").GetInt32(), message.GetProperty("dtype").GetInt32(), shape[0], shape[1], shape[2], shape[3]).ToBytes();
        }
    }
}
