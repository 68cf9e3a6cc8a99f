using System.Text.Json;
using Ferry.Engine.KvCache;
using Ferry.Engine.Model;
using Ferry.TestKit;
using Xunit;

namespace Ferry.UnitTests.Engine.Model;

/// <summary>The shipped model against logits and tokens that its trainer's framework computed.</summary>
public sealed class ShippedModelTests
{
    // fp32 sums in another order: 0.0005 of 17 was seen; one K or V that rounds to the neighbouring bf16 moves a logit by some 0.01.
    private const float Tolerance = 0.05f;

    public static TheoryData<string> Profiles => [.. Ferry.Engine.DeviceProfile.All.Select(profile => profile.Name)];

    [Theory]
    [MemberData(nameof(Profiles))]
    public void Forward_GoldenPrompts_GivesTheTrainersLogitsAndGreedyTokens(string profileName)
    {
        var root = RepositoryRoot.Path;
        string directory = Path.Combine(root, "models", "ferry-tiny");
        string golden = Path.Combine(root, "tests", "data", "ferry-tiny", "golden.json");
        Assert.SkipUnless(Directory.Exists(directory) && File.Exists(golden), "models/ferry-tiny and its golden data are not in this tree");
        var profile = Ferry.Engine.DeviceProfile.All.Single(profile => profile.Name == profileName);
        using var model = LlamaModel.Load(directory);
        using var runner = new LlamaRunner(model, KvPoolOptions.For(profile) with { BlockCount = 4096 / profile.BlockTokens });
        using var document = JsonDocument.Parse(File.ReadAllBytes(golden));

        int checkedPrompts = 0;
        foreach (var entry in document.RootElement.GetProperty("generation").EnumerateArray())
        {
            int[] prompt = Ints(entry, "promptTokens");
            float[] logits = RunnerProbe.Prefill(runner, prompt, chunkTokens: 64);
            int[] top = Ints(entry, "topTokens");
            float[] topLogits = [.. entry.GetProperty("topLogits").EnumerateArray().Select(item => item.GetSingle())];
            for (int index = 0; index < top.Length; index++)
            {
                Assert.InRange(logits[top[index]], topLogits[index] - Tolerance, topLogits[index] + Tolerance);
            }
            int[] expected = Ints(entry, "greedyTokens");
            Assert.Equal(expected, RunnerProbe.Greedy(runner, prompt, expected.Length));
            checkedPrompts++;
        }
        Assert.NotEqual(0, checkedPrompts);
    }

    private static int[] Ints(JsonElement entry, string key) => [.. entry.GetProperty(key).EnumerateArray().Select(item => item.GetInt32())];
}
