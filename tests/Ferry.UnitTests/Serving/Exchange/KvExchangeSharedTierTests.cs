using Ferry.Serving;
using Ferry.Serving.Options;
using Ferry.TestKit.Exchange;
using Xunit;

namespace Ferry.UnitTests.Serving.Exchange;

public sealed class KvExchangeSharedTierTests : KvExchangeScene
{
    [Fact]
    public async Task SharedDirectory_SecondNodeOfAnotherShape_FindsTheFirstOnesFullChunks()
    {
        var directory = Directory.CreateTempSubdirectory("ferry-shared-");
        try
        {
            var url = new Uri(directory.FullName).AbsoluteUri;
            await using (var first = await StartAsync("p1", configure: options => options with { SharedUrl = url, Role = KvRole.Producer }))
            {
                first.Prefill("p", Prompt);
                await first.Exchange.FlushAsync(CancellationToken.None);
            }
            await using var second = await StartAsync("d2", configure: options => options with { SharedUrl = url, Role = KvRole.Consumer });
            using (var result = await second.LoadAsync("d", Prompt))
            {
                Assert.Equal(512, second.CountRightTokens(result));
            }
            Assert.Equal(("directory", 512, KvChecksumState.Verified), (second.Report("d").Source, second.Report("d").Tokens, second.Report("d").Checksum));

            second.Prefill("own", ExchangeNode.Prompt(600, seed: 5));
            await second.Exchange.FlushAsync(CancellationToken.None);
            Assert.Equal(8, directory.GetFiles("*.kv", SearchOption.AllDirectories).Length); // A consumer does not write.
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task SharedDirectory_LeaseRanOut_ServesInsteadOfThePeer()
    {
        var directory = Directory.CreateTempSubdirectory("ferry-shared-");
        try
        {
            var url = new Uri(directory.FullName).AbsoluteUri;
            await using var prefill = await StartAsync("p", configure: options => options with { SharedUrl = url });
            await using var decode = await StartAsync("d", configure: options => options with { SharedUrl = url });
            var answer = prefill.Prefill("p", Prompt, ExchangeNode.AskToLend());
            await prefill.Exchange.FlushAsync(CancellationToken.None);
            Time.Advance(TimeSpan.FromSeconds(31));
            using var result = await decode.LoadAsync("d", Prompt, answer);

            Assert.Equal(512, decode.CountRightTokens(result));
            Assert.Equal(("directory", 1, 0L), (decode.Report("d").Source, decode.Report("d").Nacks, decode.Totals.HandoversMissed));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task SharedDirectory_FlippedByteOnDisk_IsDetectedCountedAndAMissFromThere()
    {
        var directory = Directory.CreateTempSubdirectory("ferry-shared-");
        try
        {
            var url = new Uri(directory.FullName).AbsoluteUri;
            await using var prefill = await StartAsync("p", configure: options => options with { SharedUrl = url });
            prefill.Prefill("p", Prompt);
            await prefill.Exchange.FlushAsync(CancellationToken.None);
            foreach (var file in directory.GetFiles("*.kv", SearchOption.AllDirectories))
            {
                var bytes = File.ReadAllBytes(file.FullName);
                bytes[^1] ^= 1;
                File.WriteAllBytes(file.FullName, bytes);
            }
            await using var decode = await StartAsync("d", configure: options => options with { SharedUrl = url });
            using var result = await decode.LoadAsync("d", Prompt);
            Assert.Empty(result.Chunks);
            Assert.True(decode.Totals.ChecksumFailures > 0);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
