"""A small vocabulary of characters from the training reports, for an encoder that starts from nothing and brings none.

Every frequent character is a token; placeholders left by redaction are one token each. Counting characters rather than
learning word pieces because the library's trainers break ties by chance, and the same reports must give the same model.
A pre-trained encoder brings its own vocabulary instead.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

PAD, UNK, CLS, SEP, MASK = "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"
_PLACEHOLDER = re.compile(r"\[[A-Z]{0,2}[\u4e00-\u9fff]{1,6}\]")
_PLACEHOLDER_MIN_REPORTS = 3


def learn_tokenizer(texts: Sequence[str], *, vocabulary_size: int, max_length: int) -> PreTrainedTokenizerBase:
    """Make a vocabulary of the commonest characters.

    Args:
        texts: Titles and texts of training reports.
        vocabulary_size: Most tokens, control tokens and placeholders included.
        max_length: Longest sequence the encoder has positions for, in tokens.
    """
    found = Counter(word for text in texts for word in set(_PLACEHOLDER.findall(text)))
    placeholders = sorted(word for word, n_texts in found.items() if n_texts >= _PLACEHOLDER_MIN_REPORTS)
    normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    counts = Counter(character for text in texts for character in normalizer.normalize_str(text) if not character.isspace())
    ranked = sorted(counts, key=lambda character: (-counts[character], character))
    words = [PAD, UNK, CLS, SEP, MASK, *placeholders]
    words += ranked[: vocabulary_size - len(words)]
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token=UNK))
    tokenizer.normalizer = normalizer
    alone = pre_tokenizers.Split("", behavior="isolated")  # between any two characters
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), alone])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{CLS} $A {SEP}",
        pair=f"{CLS} $A {SEP} $B:1 {SEP}:1",
        special_tokens=[(CLS, words.index(CLS)), (SEP, words.index(SEP))],
    )
    made: PreTrainedTokenizerBase = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        pad_token=PAD,
        unk_token=UNK,
        cls_token=CLS,
        sep_token=SEP,
        mask_token=MASK,
        additional_special_tokens=placeholders,
        model_max_length=max_length,
        clean_up_tokenization_spaces=False,
    )
    return made
