using Ferry.Cluster.Rendering.Output;
using Ferry.Cluster.Rendering.Planning;
using Xunit;

namespace Ferry.UnitTests.Cluster.Rendering;

public sealed class CommandLineWordsTests
{
    [Theory]
    [InlineData("--enforce-eager", "--enforce-eager")]
    [InlineData("--seed 7", "--seed", "7")]
    [InlineData("--override-neuron-config '{\"a\": 1}'", "--override-neuron-config", "{\"a\": 1}")]
    [InlineData("--x=\"a b\"c ''", "--x=a bc", "")]
    [InlineData("  --a\t--b  ", "--a", "--b")]
    public void Split_AFlagLine_GivesTheWordsOfAShell(string line, params string[] words) => Assert.Equal(words, CommandLineWords.Split(line));

    [Theory]
    [InlineData("rocm/vllm:v0.24.0", "rocm/vllm:v0.24.0")]
    [InlineData("{\"a\":1}", "'{\"a\":1}'")]
    [InlineData("it's", @"'it'\''s'")]
    [InlineData("", "''")]
    [InlineData("$HOME", "'$HOME'")]
    [InlineData("<prefill-ip>", "'<prefill-ip>'")]
    public void Quote_AWord_IsBareOnlyWhereTheShellLeavesItAlone(string word, string quoted) => Assert.Equal(quoted, ShellText.Quote(word));
}
