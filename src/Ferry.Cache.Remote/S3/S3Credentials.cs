using Amazon.Runtime;

namespace Ferry.Cache.Remote.S3;

/// <summary>Finds the keys of a bucket: a named file, or the standard chain in its order: environment, web identity, shared file, container, instance.</summary>
internal static class S3Credentials
{
    private const string AwsDomain = ".amazonaws.com";

    private static readonly string[] FromAwsServices = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];

    /// <returns>Null for those parts of the chain that only the SDK knows.</returns>
    public static AWSCredentials? Find(S3TierOptions options, TimeProvider time)
    {
        if (options.CredentialsFile is { } file)
        {
            return new CredentialsFile(file, options.Profile);
        }
        if (Variable("AWS_ACCESS_KEY_ID") is { } id && Variable("AWS_SECRET_ACCESS_KEY") is { } secret)
        {
            return Variable("AWS_SESSION_TOKEN") is { } token ? new SessionAWSCredentials(id, secret, token) : new BasicAWSCredentials(id, secret);
        }
        if (Variable("AWS_WEB_IDENTITY_TOKEN_FILE") is { } identity)
        {
            return new WebIdentityCredentials(identity, Variable("AWS_ROLE_ARN"), Variable("AWS_ROLE_SESSION_NAME") ?? "ferry", StsEndpoint(), options, time);
        }
        var shared = Variable("AWS_SHARED_CREDENTIALS_FILE") ?? (Variable("HOME") is { } home ? Path.Combine(home, ".aws", "credentials") : null);
        if (shared is not null && File.Exists(shared))
        {
            return new CredentialsFile(shared, options.Profile);
        }
        // Only AWS' own machines have a service that gives keys; elsewhere asking for it would hang until the deadline and hide what is wrong.
        return Array.Exists(FromAwsServices, name => Variable(name) is not null) || IsAtAws() ? null : new Nowhere();

        string? Variable(string name) => options.Environment(name) is { Length: > 0 } value ? value : null;

        bool IsAtAws() => options.Location.Endpoint.Host.EndsWith(AwsDomain, StringComparison.OrdinalIgnoreCase);

        string StsEndpoint() => Variable("AWS_ENDPOINT_URL_STS") ?? (IsAtAws() ? $"https://sts.{options.Location.Region}{AwsDomain}" : options.Location.Endpoint.GetLeftPart(UriPartial.Authority));
    }

    private sealed class Nowhere : AWSCredentials
    {
        public override ImmutableCredentials GetCredentials() => throw new S3TierException(
            "no credentials were found. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a credentials file");
    }
}
