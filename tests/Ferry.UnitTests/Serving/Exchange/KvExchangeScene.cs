using Ferry.Cache.Records;
using Ferry.Engine;
using Ferry.Serving.Exchange;
using Ferry.TestKit;
using Ferry.TestKit.Exchange;
using Ferry.Transfer.InProcess;
using Xunit;

namespace Ferry.UnitTests.Serving.Exchange;

/// <summary>A prompt, a clock that the test moves, and a network between nodes that start on it.</summary>
public abstract class KvExchangeScene
{
    protected const int PromptTokens = 600; // Two full chunks and an unfull one of 88 tokens.
    protected static readonly int[] Prompt = ExchangeNode.Prompt(PromptTokens);

    protected SteppedClock Time { get; } = new();
    protected InProcessNetwork Network { get; }

    protected KvExchangeScene() => Network = new InProcessNetwork(Time);

    protected Task<ExchangeNode> StartAsync(string name, DeviceProfile? device = null, int? tp = null, Func<KvExchangeOptions, KvExchangeOptions>? configure = null)
    {
        device ??= name.StartsWith('d') ? DeviceProfile.Gaudi3 : DeviceProfile.Mi300x;
        return ExchangeNode.StartAsync(name, device, tp ?? device.TensorParallelSize, Network, Time, configure);
    }

    // Time must not run ahead of threads that a busy machine holds up, or of code that is still being compiled: the peers would be taken for dead,
    // and leases would end in mid-transfer. So it runs five times as fast as a real clock, and not while this thread itself is held up.
    private const int LooksPerStep = 1500;
    private static readonly TimeSpan RealTimePerStep = TimeSpan.FromMilliseconds(4);

    /// <summary>Lets fake time pass in small steps until the task ends.</summary>
    protected async Task<T> PumpAsync<T>(Task<T> task)
    {
        await PumpUntilAsync(() => task.IsCompleted);
        return await task;
    }

    protected Task PumpUntilAsync(Func<bool> holds)
    {
        var looks = 0;
        var stepped = TimeProvider.System.GetTimestamp();
        return Eventually.HoldsAsync(() =>
        {
            if (++looks >= LooksPerStep && TimeProvider.System.GetElapsedTime(stepped) > RealTimePerStep)
            {
                (looks, stepped) = (0, TimeProvider.System.GetTimestamp());
                Time.Advance(TimeSpan.FromMilliseconds(20));
            }
            return holds();
        });
    }

    protected static Task UntilAsync(Func<bool> holds) => Eventually.HoldsAsync(holds);

    /// <summary>Flips one bit of a record that a node holds in memory.</summary>
    protected static void Flip(ExchangeNode node, int chunk, int byteIndex)
    {
        var key = new PromptChain(Ferry.Kv.Hashing.ChunkHasher.Create("sha256_cbor"), 256, ExchangeNode.Model, "")
            .KeyOf(Prompt, chunk * 256, Math.Min(256, PromptTokens - (chunk * 256)));
        Assert.True(node.Exchange.Cache.Memory.TryLease(key, new ChunkQuery(0, 0, 0), out var lease));
        using (lease)
        {
            System.Runtime.InteropServices.MemoryMarshal.AsMemory(lease.Shards[0].Record).Span[byteIndex] ^= 0x40;
        }
    }
}
