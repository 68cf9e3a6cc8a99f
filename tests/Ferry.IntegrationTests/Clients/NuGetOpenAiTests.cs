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
    public async Task Router_ChatWholeAndStreamed_GiveTextUsageAndCachedTokens()
    {
        await using var router = await RouterFixture.StartAsync();
        (router.Prefill.CachedTokens, router.Decode.CachedTokens) = (2, 0);
        var client = Client(router.Address, "stub");
        var answer = (await client.CompleteChatAsync([new UserChatMessage("Hi")], new ChatCompletionOptions { MaxOutputTokenCount = 4 })).Value;
        Assert.Equal((" tok0 tok1 tok2 tok3", ChatFinishReason.Length, 4, 2), (answer.Content[0].Text, answer.FinishReason, answer.Usage.OutputTokenCount, answer.Usage.InputTokenDetails.CachedTokenCount));
        var (text, usage, finish) = await ReadAsync(client);
        Assert.Equal((" tok0 tok1 tok2 tok3", 4, ChatFinishReason.Length), (text, usage, finish));
    }

    [Fact]
    public async Task Router_Models_PassThrough()
    {
        await using var router = await RouterFixture.StartAsync();
        var models = new OpenAI.Models.OpenAIModelClient(new ApiKeyCredential("sk-none"), new OpenAIClientOptions { Endpoint = new Uri(router.Address, "/v1") });
        Assert.Equal("stub", Assert.Single((await models.GetModelsAsync()).Value).Id);
    }

    [Fact]
    public async Task Router_RefusalAndFailure_AreClientExceptionsWithTheNodesWords()
    {
        await using var router = await RouterFixture.StartAsync();
        router.Prefill.RefusesModel = "refused";
        var refused = await Assert.ThrowsAsync<ClientResultException>(() => Client(router.Address, "refused").CompleteChatAsync([new UserChatMessage("Hi")]));
        Assert.Equal((400, true), (refused.Status, refused.Message.Contains("as told", StringComparison.Ordinal)));
        router.Decode.FailsWith = 422;
        Assert.Equal(422, (await Assert.ThrowsAsync<ClientResultException>(() => Client(router.Address, "stub").CompleteChatAsync([new UserChatMessage("Hi")]))).Status);
    }

#pragma warning disable OPENAI001   // the Responses API of this client is marked as a preview
    [Fact]
    public async Task Router_ResponsesWholeAndStreamed_GiveTextAndUsage()
    {
        await using var router = await RouterFixture.StartAsync();
        var client = new OpenAI.Responses.ResponsesClient(new ApiKeyCredential("sk-none"), new OpenAI.Responses.ResponsesClientOptions { Endpoint = new Uri(router.Address, "/v1") });
        var answer = (await client.CreateResponseAsync("stub", "Hi")).Value;
        Assert.Equal((" tok0 tok1 tok2 tok3", 4), (answer.GetOutputText(), answer.Usage.OutputTokenCount));
        var text = "";
        await foreach (var update in await client.CreateResponseStreamingAsync("stub", "Hi"))
        {
            text += update is OpenAI.Responses.StreamingResponseOutputTextDeltaUpdate delta ? delta.Delta : "";
        }
        Assert.Equal(" tok0 tok1 tok2 tok3", text);
    }
#pragma warning restore OPENAI001

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
