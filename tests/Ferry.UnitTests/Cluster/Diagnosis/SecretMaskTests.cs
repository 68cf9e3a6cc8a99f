using Ferry.Cluster.Diagnosis;
using Xunit;

namespace Ferry.UnitTests.Cluster.Diagnosis;

public sealed class SecretMaskTests
{
    [Theory]
    [InlineData("AWS_SECRET_ACCESS_KEY=abc/def+ghi rest", "AWS_SECRET_ACCESS_KEY=*** rest")]
    [InlineData("{\"password\": \"hunter2\", \"a\": 1}", "{\"password\": \"***\", \"a\": 1}")]
    [InlineData("vllm serve m --api-key s3cr3t --port 8000", "vllm serve m --api-key *** --port 8000")]
    [InlineData("Authorization: Bearer abc.def.ghi", "Authorization: Bearer ***")]
    [InlineData("redis://user:hunter2@cache:6379/0", "redis://***@cache:6379/0")]
    [InlineData("key AKIAABCDEFGHIJKLMNOP here", "key *** here")]
    [InlineData("{\"name\":\"HF_TOKEN_FILE\"}", "{\"name\":\"HF_TOKEN_FILE\"}")]
    [InlineData("{\"name\":\"AWS_SECRET_ACCESS_KEY\",\"value\":\"abc\"}", "{\"name\":\"AWS_SECRET_ACCESS_KEY\",\"value\":\"***\"}")]
    [InlineData("max_tokens=16, tokenizer='m'", "max_tokens=16, tokenizer='m'")]
    [InlineData("no password is set", "no password is set")]
    public void Apply_Text_MasksSecretsAndNothingElse(string text, string masked) => Assert.Equal(masked, SecretMask.Apply(text));
}
