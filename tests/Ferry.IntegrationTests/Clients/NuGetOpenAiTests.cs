using System.ClientModel;
using Ferry.IntegrationTests.Router;
using Ferry.IntegrationTests.Serving;
using OpenAI;
using OpenAI.Chat;

namespace Ferry.IntegrationTests.Clients;

/// <summary>The OpenAI client of NuGet, unmodified.</summary>
public sealed class NuGetOpenAiTests
{
    [Fact]
    public async Task Chat_Whole_GivesContentAndUsage()
    {
        await using var node = await ServeFixture.StartAsync();
        node.Engine.CachedTokens = 3;
        var answer = (await Client(node.Address).CompleteChatAsync([new UserChatMessage("Hi")], new ChatCompletionOptions { MaxOutputTokenCount = 5, IncludeLogProbabilities = true, TopLogProbabilityCount = 1 })).Value;
        Assert.Equal(("Hello", ChatFinishReason.Length, 5, 3), (answer.Content[0].Text, answer.FinishReason, answer.Usage.OutputTokenCount, answer.Usage.InputTokenDetails.CachedTokenCount));
        Assert.Equal("H", answer.ContentTokenLogProbabilities[0].Token);
    }

    [Fact]
    public async Task Chat_Stream_GivesTextAndUsage()
    {
        await using var node = await ServeFixture.StartAsync();
        var (text, usage, finish) = await ReadAsync(Client(node.Address));
        Assert.Equal(("Hello, world!", 13, ChatFinishReason.Stop), (text, usage, finish));
    }

    [Fact]
    public async Task Chat_StreamThroughTheRouter_GivesText()
    {
        await using var router = await RouterFixture.StartAsync();
        var (text, usage, _) = await ReadAsync(Client(router.Address));
        Assert.Equal((" tok0 tok1 tok2 tok3", 4), (text, usage));
    }

    [Fact]
    public async Task Chat_UnknownModel_IsAClientExceptionWithTheMessage()
    {
        await using var node = await ServeFixture.StartAsync();
        var exception = await Assert.ThrowsAsync<ClientResultException>(() => Client(node.Address, "gpt-5").CompleteChatAsync([new UserChatMessage("Hi")]));
        Assert.Equal(404, exception.Status);
        Assert.Contains("gpt-5", exception.Message, StringComparison.Ordinal);
    }

    private static ChatClient Client(Uri address, string model = "scripted") =>
        new(model, new ApiKeyCredential("sk-none"), new OpenAIClientOptions { Endpoint = new Uri(address, "/v1") });

    private static async Task<(string Text, int OutputTokens, ChatFinishReason? Finish)> ReadAsync(ChatClient client)
    {
        var (text, tokens, finish) = ("", 0, (ChatFinishReason?)null);
        await foreach (var update in client.CompleteChatStreamingAsync([new UserChatMessage("Hi")]))
        {
            text += string.Concat(update.ContentUpdate.Select(part => part.Text));
            tokens = update.Usage?.OutputTokenCount ?? tokens;
            finish = update.FinishReason ?? finish;
        }
        return (text, tokens, finish);
    }
}
