namespace Ferry.Cluster.Spec;

/// <summary>Where a secret stands: exactly one of four places. The secret itself never stands in ferry.yaml.</summary>
public sealed record SecretSpec
{
    [SpecKey("env", "Environment variable of whoever starts the container.", Pattern = SpecText.VariablePattern, PatternText = SpecText.VariableText, Example = "AWS_SECRET_ACCESS_KEY")]
    public string? Environment { get; init; }

    [SpecKey("file", "File on the node.", Pattern = @"/[^\s'""$`\\]*", PatternText = "an absolute path without blanks and quotes")]
    public string? File { get; init; }

    [SpecKey("docker", "Secret of Docker (compose, swarm), mounted below /run/secrets.", Pattern = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}", PatternText = "the name of a secret")]
    public string? Docker { get; init; }

    [SpecKey("kubernetes", "Key of a Secret of Kubernetes.")]
    public KubernetesSecretSpec? Kubernetes { get; init; }
}
